"""What competitions are made of: the public part of datasets, and suites."""

import json
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from competitions.api import requests
from competitions.api.base import ApiView, answer_page
from competitions.api.contract import describe
from competitions.api.serializers import PairSerializer
from competitions.api.shapes import UtcField, page_shape
from competitions.models import MetricSuite
from competitions.selectors.datasets import (
    dataset_pairs,
    dataset_views,
    get_dataset,
    get_suite,
    visible_datasets,
    visible_suites,
)
from competitions.selectors.paging import page_of, page_of_list

NEWEST_FIRST = ("-created_at", "-pk")


class DatasetSerializer(serializers.Serializer):
    """A version of a dataset, which never changes; its digest covers every pair and image."""

    slug = serializers.CharField()
    title = serializers.CharField()
    version = serializers.IntegerField()
    digest = serializers.CharField()
    size = serializers.IntegerField()
    credits = serializers.CharField()
    n_public = serializers.IntegerField()
    n_hidden = serializers.IntegerField()
    created_at = UtcField()


class SuiteSerializer(serializers.Serializer):
    """A suite by which competitions score."""

    id = serializers.CharField(source="name")
    digest = serializers.CharField()
    created_at = UtcField()


class SuiteDetailSerializer(SuiteSerializer):
    """A suite with its document: every number that decides a score."""

    document = serializers.SerializerMethodField()

    def get_document(self, suite: MetricSuite) -> dict[str, Any]:
        """Return the document."""
        return dict(json.loads(suite.document))


class Datasets(ApiView):
    """The datasets of the competitions that the caller may see."""

    @describe("listDatasets", {200: page_shape(DatasetSerializer)}, query=requests.PageQuery)
    def get(self, request: Request) -> Response:
        """List versions of datasets, newest first."""
        page = page_of(visible_datasets(request.user), self.window(), NEWEST_FIRST)
        return answer_page(page, DatasetSerializer, request, rows=dataset_views(page.rows))


class Dataset(ApiView):
    """One version of a dataset."""

    @describe("getDataset", {200: DatasetSerializer})
    def get(self, request: Request, slug: str, version: int) -> Response:
        """Show a version of a dataset."""
        return Response(DatasetSerializer(get_dataset(slug, version, request.user)).data)


class DatasetPairs(ApiView):
    """The public pairs of a version of a dataset."""

    @describe("listDatasetPairs", {200: page_shape(PairSerializer)}, query=requests.PageQuery)
    def get(self, request: Request, slug: str, version: int) -> Response:
        """List the public pairs by name."""
        pairs = dataset_pairs(slug, version, request.user)
        page = page_of_list(pairs, self.window(), lambda pair: pair.name)
        return answer_page(page, PairSerializer, request)


class Suites(ApiView):
    """The suites of the competitions that the caller may see."""

    @describe("listSuites", {200: page_shape(SuiteSerializer)}, query=requests.PageQuery)
    def get(self, request: Request) -> Response:
        """List suites, newest first."""
        page = page_of(visible_suites(request.user), self.window(), NEWEST_FIRST)
        return answer_page(page, SuiteSerializer, request)


class Suite(ApiView):
    """One suite."""

    @describe("getSuite", {200: SuiteDetailSerializer})
    def get(self, request: Request, suite: str) -> Response:
        """Show a suite with its document."""
        return Response(SuiteDetailSerializer(get_suite(suite, request.user)).data)
