"""Many pictures handed in on the page, with real services: they wait, outlive a killed worker, and get their report."""

import json
import signal
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
import requests

from evaluation.images import encode_png
from tests.competitions.many_pictures import many_files
from tests.conftest import smooth_image, write_dataset
from tests.walks.house import House, house

pytestmark = pytest.mark.walk
PLACE = "/organize/waves/survey/"
N_LARGE = 30
READ = """
import json
from competitions.models import DataSurvey, Draft
survey, draft = DataSurvey.objects.first(), Draft.objects.get()
print(json.dumps([survey and survey.state, survey and survey.files_done, draft.report.get("n_files")]))
"""
FORGET = """
from datetime import timedelta
from django.db.models import F
from competitions.models import DataSurvey
DataSurvey.objects.update(seen_at=F("seen_at") - timedelta(minutes=5))
"""


class Organizer:
    """Somebody at the pages without scripts."""

    def __init__(self, made: House) -> None:
        """Sign in."""
        self._house, self._session = made, requests.Session()
        self._session.get(f"{made.address}/accounts/sign-in/", timeout=30)
        self.send("/accounts/sign-in/", {"login": "organizer", "password": "a long password 2"})

    def send(self, path: str, fields: dict[str, str], data: bytes | None = None) -> requests.Response:
        """Send a form."""
        answer = self._session.post(
            self._house.address + path,
            data=fields | {"csrfmiddlewaretoken": self._session.cookies["csrftoken"]},
            files={"archive": ("data.zip", data)} if data else None,
            timeout=60,
        )
        assert answer.status_code == 200, answer.text[:3000]
        return answer

    def fragment(self) -> requests.Response:
        """Ask how far it is."""
        return self._session.get(self._house.address + PLACE, headers={"HX-Request": "true"}, timeout=30)


def pictures() -> bytes:
    """Return a zip that takes a worker some seconds."""
    large = {f"hidden/contents/noise/{n}.png": encode_png(smooth_image(n, 1500)) for n in range(N_LARGE)}
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
        for name, data in (large | many_files()).items():
            packed.writestr(name, data)
    return target.getvalue()


def read(made: House) -> list[object]:
    found: list[object] = json.loads(made.manage("shell", "--command", READ).splitlines()[-1])
    return found


def test_many_pictures_outlive_the_worker_that_looked_at_them(tmp_path: Path) -> None:
    with house(tmp_path / "house", write_dataset(tmp_path / "dataset", size=256)) as made:
        made.start("web")
        organizer = Organizer(made)
        organizer.send("/organize/new/", {"slug": "waves", "title": "Waves", "summary": "Paint waves."})
        organizer.send("/organize/waves/setup/task/", {"suite": "sts-demo-2"})
        page = organizer.send("/organize/waves/upload/", {}, pictures()).text
        assert f"0 of {N_LARGE + len(many_files())} files" in page
        assert read(made)[0] == "waiting"

        made.start("intake")
        made.until(lambda: "0 of" not in organizer.fragment().text)
        assert read(made)[0] == "running"
        made.stop("intake", how=signal.SIGKILL)
        assert read(made)[0] == "running"
        made.manage("shell", "--command", FORGET)
        assert "no sign for" in organizer.fragment().text

        made.start("intake")
        organizer.send(f"{PLACE}again/", {})
        made.until(lambda: organizer.fragment().headers.get("HX-Refresh") == "true")
        state, _, n_files = read(made)
        assert (state, n_files) == (None, N_LARGE + len(many_files()) - 2)
