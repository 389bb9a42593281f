"""Object storage that speaks S3: one private bucket for all machines, reached through django-storages."""

from typing import IO, Any

from boto3.s3.transfer import TransferConfig
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError
from django.utils.functional import cached_property
from django.utils.http import content_disposition_header
from storages.backends.s3 import S3Storage

from competitions.storage import StorageRefused, StorageUnreachable

ADDRESS = "PASTICHE_STORAGE_URL"
KEY = "PASTICHE_STORAGE_KEY and PASTICHE_STORAGE_SECRET"
PROBE = "probe"  # an object that every start writes anew
PROBE_SECONDS = 2
SPOOLED_BYTES = 2**23  # a larger file that is read goes to the disk

# What the storage answers -> the setting that is wrong, and how.
_REFUSALS = {
    "NoSuchBucket": (ADDRESS, "there is no bucket of this name"),
    "PermanentRedirect": (ADDRESS, "the bucket lies in another region"),
    "AuthorizationHeaderMalformed": (ADDRESS, "the bucket lies in another region"),
    "InvalidAccessKeyId": (KEY, "the storage does not know this key"),
    "SignatureDoesNotMatch": (KEY, "the secret does not belong to this key"),
    "AccessDenied": (KEY, "this key may not list, read and write the bucket"),
}


class Bucket(S3Storage):
    """The bucket; without access lists of its own, so nothing in it is public."""

    def __init__(self, **options: object) -> None:
        """Set what does not depend on the place; integrity on the way is checked by the client's own checksums."""
        style = options.get("addressing_style", "auto")
        config = Config(
            connect_timeout=5,
            read_timeout=60,
            retries={"mode": "standard", "total_max_attempts": 3},
            signature_version="s3v4",
            s3={"addressing_style": style},
        )
        # One file at a time: a worker computes beside it.
        transfer = TransferConfig(use_threads=False)
        super().__init__(
            **options, client_config=config, transfer_config=transfer, max_memory_size=SPOOLED_BYTES
        )

    def download(self, name: str, target: IO[bytes]) -> None:
        """Write a stored file to an open one.

        Raises:
            FileNotFoundError: it is not there.
        """
        try:
            self.bucket.Object(self._normalize_name(name)).download_fileobj(
                target, Config=self.transfer_config
            )
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                raise FileNotFoundError(f"File does not exist: {name}") from error
            raise

    def link(self, name: str, filename: str, seconds: int) -> str:
        """Return an address at which whoever knows it can fetch the file for a while; browsers save it."""
        as_attachment = {
            "ResponseContentDisposition": content_disposition_header(True, filename),
            "ResponseContentType": "application/octet-stream",
        }
        return str(self.url(name, parameters=as_attachment, expire=seconds))

    def check(self, *, by_writing: bool) -> None:
        """Try the bucket out; `by_writing` also writes and reads, and has a stranger try to read.

        Raises:
            StorageRefused: a setting is wrong.
            StorageUnreachable: nothing answers.
        """
        try:
            client = self._client(Config()) if by_writing else self._prober
            client.list_objects_v2(Bucket=self.bucket_name, Prefix=self.location, MaxKeys=1)
            if by_writing:
                self._try_writing(client)
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise StorageRefused(KEY, "there is no key for the bucket") from error
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                raise StorageUnreachable(f"the storage fails at {self.endpoint_url or 'AWS'}") from error
            code = error.response["Error"].get("Code", "")
            setting, sentence = _REFUSALS.get(code, (ADDRESS, f"the storage refuses with {code}"))
            raise StorageRefused(setting, sentence) from error
        except BotoCoreError as error:
            raise StorageUnreachable(f"no answer from {self.endpoint_url or 'AWS'}") from error

    @cached_property
    def _prober(self) -> Any:
        """Made at first use, so after a server has forked; making one costs more than asking it."""
        return self._client(Config())

    def _try_writing(self, client: Any) -> None:
        name = self._normalize_name(PROBE)
        client.put_object(Bucket=self.bucket_name, Key=name, Body=b"pastiche")
        client.get_object(Bucket=self.bucket_name, Key=name)["Body"].read()
        try:
            self._client(Config(signature_version=UNSIGNED)).get_object(Bucket=self.bucket_name, Key=name)
        except ClientError:
            return
        raise StorageRefused(ADDRESS, "everybody can read this bucket; make it private")

    @cached_property
    def _session(self) -> Any:
        return self._create_session()

    def _client(self, config: Config) -> Any:
        quick = Config(
            connect_timeout=PROBE_SECONDS, read_timeout=PROBE_SECONDS, retries={"total_max_attempts": 1}
        )
        return self._session.client(
            "s3",
            endpoint_url=self.endpoint_url,
            region_name=self.region_name,
            config=self.client_config.merge(quick).merge(config),
        )
