"""A real MinIO server, a bucket for each test that asks, and what lies in one."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen
from uuid import uuid4

import pyarrow.fs as pa_fs
import pytest

from broker._kept import default_cache
from broker.local._ports import free_ports

USER, PASSWORD = "operator", "sesame-secret"
BUILD = Path(__file__).parents[3] / "k8s/test/build"
UNREACHABLE = 3
PATIENCE_SECONDS = 60


class Minio:
    """A server on 127.0.0.1 that keeps its port and its data when it is killed and started again.

    Parameters
    ----------
    program : of the server.
    folder : for its data; a bucket is a folder in it.
    """

    def __init__(self, program: Path, folder: Path) -> None:
        self.program, self.folder, self.port = program, folder, free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "data").mkdir()

    @property
    def environment(self) -> dict[str, str]:
        """What a command is given to find it and to log in."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": USER,
            "AWS_SECRET_ACCESS_KEY": PASSWORD,
        }

    def start(self) -> None:
        command = [self.program, "server", "--quiet", "--address", f"127.0.0.1:{self.port}", self.folder / "data"]
        login = {"MINIO_ROOT_USER": USER, "MINIO_ROOT_PASSWORD": PASSWORD, "MINIO_BROWSER": "off"}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, env={**os.environ, **login}, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def bucket(self) -> str:
        """A new bucket."""
        name = f"bucket-{uuid4().hex[:8]}"
        self.files().create_dir(name)
        return name

    def files(self) -> pa_fs.S3FileSystem:
        """The server as another program sees it, which isn't the one that is tested."""
        return pa_fs.S3FileSystem(
            access_key=USER, secret_key=PASSWORD, scheme="http", endpoint_override=f"127.0.0.1:{self.port}",
            allow_bucket_creation=True,
        )  # fmt: skip

    def objects(self, bucket: str) -> list[str]:
        """Names of all objects in a bucket."""
        found = self.files().get_file_info(pa_fs.FileSelector(bucket, recursive=True))
        return sorted(each.path.removeprefix(f"{bucket}/") for each in found if each.is_file)

    def _answers(self) -> bool:
        with suppress(URLError, OSError), urlopen(f"{self.url}/minio/health/ready", timeout=1) as answer:  # noqa: S310
            return bool(answer.status == 200)
        return False


@pytest.fixture(scope="session")
def minio_program() -> Path:
    """The server's program; the first call builds it, which takes minutes."""
    done = subprocess.run([BUILD, "minio"], check=False)  # it says what it does
    if done.returncode == UNREACHABLE:
        pytest.skip("MinIO can't be built here: Go or its module proxy is missing")
    assert done.returncode == 0
    return default_cache() / "bin" / "minio"


@pytest.fixture(scope="module")
def minio(minio_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Minio]:
    """The server, at work."""
    made = Minio(minio_program, tmp_path_factory.mktemp("minio"))
    made.start()
    yield made
    made.kill()


@pytest.fixture
def store(minio: Minio, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """The server's environment, set for this process."""
    for name, value in minio.environment.items():
        monkeypatch.setenv(name, value)
    return minio.environment


@pytest.fixture
def bucket(minio: Minio) -> str:
    return minio.bucket()
