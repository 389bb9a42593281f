"""How operations are described in the OpenAPI document, and what every one of them may answer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiRequest, extend_schema
from rest_framework import serializers

from competitions.api.fields import Text
from competitions.api.requests import Nothing, StrictSerializer

Handler = TypeVar("Handler", bound=Callable[..., Any])
Direction = Literal["request", "response"]
Shape = type[serializers.Serializer]

JSON = "application/json"
KEY_HEADER = "Idempotency-Key"

# What a status means, in one line; the codes of its body say more.
REFUSALS = {
    400: "The request cannot be read, or fields of it are wrong.",
    401: "There is no token, or it does not work.",
    403: "The caller, or the token's scope, does not allow this.",
    404: "There is no such thing, or the caller may not see it.",
    406: "The API speaks JSON.",
    409: "What is there already, or its state, does not allow this.",
    413: "The request is larger than what is taken here.",
    415: "The body is of another type than those listed.",
    422: "The request is well-formed, and what it carries breaks a rule.",
    429: "Too many requests, or a quota is used up.",
}
ALWAYS = (400, 401, 406, 429)
WITH_A_BODY = (413, 415)


class ErrorDetailSerializer(serializers.Serializer):
    """A stable code, a sentence, what to do, and the fields concerned."""

    code = serializers.CharField()
    message = serializers.CharField()
    fix = serializers.CharField()
    fields = serializers.DictField(child=serializers.CharField())  # type: ignore[assignment]


class ErrorSerializer(serializers.Serializer):
    """The one shape of every refusal."""

    error = ErrorDetailSerializer()


class ContractSchema(AutoSchema):
    """Adds to each operation what all have in common: refusals, and that unknown fields are refused."""

    def get_tags(self) -> list[str]:
        """Group the operations by the first word of their address."""
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction)
        for status in self._refusals():
            body = self._get_response_for_code(ErrorSerializer, str(status), [JSON], direction)
            bodies[str(status)] = body | {"description": REFUSALS[status]}
        if "429" in bodies:
            schema = {"type": "integer", "minimum": 1}
            text = "After how many seconds another try makes sense; missing where none does."
            bodies["429"]["headers"] = {"Retry-After": {"schema": schema, "description": text}}
        return dict(sorted(bodies.items()))

    def _refusals(self) -> set[int]:
        handler = getattr(self.view, self.method.lower())
        found = {*ALWAYS, *handler.refusals}
        if getattr(handler, "is_idempotent", False):
            found |= {409, 422}
        if "{" in self.path:
            found.add(404)
        if self.method != "GET":
            found |= {403, *WITH_A_BODY}
        return found

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        schema = super()._map_basic_serializer(serializer, direction)
        return (
            schema | {"additionalProperties": False} if isinstance(serializer, StrictSerializer) else schema
        )

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        parameters = super()._resolve_path_parameters(variables)
        for parameter in parameters:
            if parameter["schema"]["type"] == "integer":
                parameter["schema"] |= {"minimum": 0}
            elif parameter["name"].endswith("_id"):
                parameter["schema"] |= {"format": "uuid"}
        return list(parameters)

    def _insert_field_validators(self, field: Any, schema: dict[str, Any]) -> None:
        super()._insert_field_validators(field, schema)
        if isinstance(field, Text) and "oneOf" in schema:  # its pattern allows the empty text already
            schema.update(schema.pop("oneOf")[0])


class TokenScheme(OpenApiAuthenticationExtension):
    """How a token is sent."""

    target_class = "competitions.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """Describe the header; `Token` is taken in the place of `Bearer` too."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "pst_…"}


def describe(
    operation_id: str,
    answers: Mapping[int | tuple[int, str], Any],
    *,
    query: Shape = Nothing,
    body: Shape | Mapping[str, Any] | None = None,
    example: Mapping[str, Any] | None = None,
    headers: Sequence[OpenApiParameter] = (),
    refusals: Sequence[int] = (),
) -> Callable[[Handler], Handler]:
    """Describe one operation: its answers by status, query, body with an example, and refusals of its own.

    The query is also what the view takes: `ApiView` refuses parameters that are not in it.
    """

    def decorate(handler: Handler) -> Handler:
        handler.query, handler.refusals = query, tuple(refusals)  # type: ignore[attr-defined]
        more = [KEY_PARAMETER] if getattr(handler, "is_idempotent", False) else []
        parameters: list[OpenApiParameter | Shape] = [
            *([query] if query is not Nothing else []),
            *headers,
            *more,
        ]
        return extend_schema(
            operation_id=operation_id,
            request=body_of(body, example) if isinstance(body, type) else body,
            responses=dict(answers),
            parameters=parameters,
        )(handler)

    return decorate


def body_of(
    shape: Any, example: Mapping[str, Any] | None, media_type: str = JSON
) -> dict[str, OpenApiRequest]:
    """Describe a body of one media type with its example."""
    shown = OpenApiExample("Example", value=dict(example), request_only=True) if example is not None else None
    return {media_type: OpenApiRequest(shape, examples=[shown] if shown else None)}


KEY_PARAMETER = OpenApiParameter(
    KEY_HEADER,
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="Chosen by the caller, new for each thing to be made. The same request with the same key within a "
    "day gets the first answer again and makes nothing; another request with this key is refused.",
)
