"""Runs: where one stands, what it wrote, and what came of it."""

from rest_framework.request import Request
from rest_framework.response import Response

from competitions.api import requests, serializers
from competitions.api.base import ApiView, answer_page, flags_by_run
from competitions.api.contract import describe
from competitions.api.shapes import page_shape
from competitions.selectors.access import visible_runs
from competitions.selectors.flags import flags_of
from competitions.selectors.output import public_outputs, run_log
from competitions.selectors.paging import page_of, page_of_list
from competitions.selectors.scores import public_pair_scores, run_result
from competitions.selectors.submissions import (
    SubmissionView,
    get_submission,
    get_submission_of_run,
    runs_of,
)


class SubmissionRuns(ApiView):
    """All runs of a submission: repetitions and rescorings too."""

    @describe("listRuns", {200: page_shape(serializers.RunSerializer)}, query=requests.PageQuery)
    def get(self, request: Request, submission_id: str) -> Response:
        """List the runs of a submission, newest first."""
        key = requests.read_id(submission_id)
        submission = get_submission(key, request.user)
        runs = visible_runs(request.user).filter(submission=key)
        page = page_of(runs, self.window(), ("-queued_at", "-pk"))
        keys = [row.pk for row in page.rows]
        by_key = {run.id: run for run in runs_of(submission, request.user, only=keys)}
        shown = [by_key[key] for key in keys]
        context = {"flags": flags_of(keys, request.user)}
        return answer_page(page, serializers.RunSerializer, request, rows=shown, context=context)


class Run(ApiView):
    """Where one run stands."""

    @describe("getRun", {200: serializers.RunSerializer})
    def get(self, request: Request, run_id: str) -> Response:
        """Show a run: its state and stage, its place in the queue, and when it may start."""
        submission = _of_run(run_id, request)
        context = flags_by_run([submission], request)
        return Response(serializers.RunSerializer(submission.run, context=context).data)


class RunLog(ApiView):
    """What the generator wrote, from a character offset on; for the team and organizers."""

    @describe("getRunLog", {200: serializers.LogFromSerializer}, query=requests.LogQuery)
    def get(self, request: Request, run_id: str) -> Response:
        """Read on in the log."""
        offset = self.query["offset"]
        log = run_log(_of_run(run_id, request), offset=offset)
        return Response({"offset": offset, **serializers.LogSerializer(log).data})


class RunScores(ApiView):
    """The result of a run: aggregates over the hidden pairs, single values of public pairs only."""

    @describe("getRunScores", {200: serializers.ResultWithPairsSerializer})
    def get(self, request: Request, run_id: str) -> Response:
        """Show the scores."""
        submission = _of_run(run_id, request)
        answer = serializers.ResultSerializer(run_result(submission)).data
        context = {"request": request, "run_id": submission.run.id}
        pairs = serializers.PairScoreSerializer(public_pair_scores(submission), many=True, context=context)
        return Response({**answer, "pairs": pairs.data})


class RunPairs(ApiView):
    """What single pairs scored, as far as they are released: the public ones."""

    @describe("listRunPairs", {200: page_shape(serializers.PairScoreSerializer)}, query=requests.PageQuery)
    def get(self, request: Request, run_id: str) -> Response:
        """List the values of the public pairs by name."""
        submission = _of_run(run_id, request)
        run_result(submission)  # a run without scores says so
        page = page_of_list(public_pair_scores(submission), self.window(), lambda score: score.pair_name)
        context = {"run_id": submission.run.id}
        return answer_page(page, serializers.PairScoreSerializer, request, context=context)


class RunOutputs(ApiView):
    """The stylized images of released pairs, as they land."""

    @describe("listRunOutputs", {200: page_shape(serializers.OutputSerializer)}, query=requests.PageQuery)
    def get(self, request: Request, run_id: str) -> Response:
        """List the stylized images of public pairs by name."""
        submission = _of_run(run_id, request)
        page = page_of_list(public_outputs(submission), self.window(), lambda output: output.pair_name)
        context = {"run_id": submission.run.id}
        return answer_page(page, serializers.OutputSerializer, request, context=context)


def _of_run(run_id: str, request: Request) -> SubmissionView:
    return get_submission_of_run(requests.read_id(run_id), request.user)
