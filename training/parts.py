"""What is done of a long fit is kept, so that a fit that was broken off goes on where it was.

A part is a folder, named by what it is and by a hash of all that it follows from: other data, other settings or other
code make another part, and nothing has to be thrown away by hand.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from types import ModuleType


class Parts:
    """The parts of a fit that are done.

    Parameters
    ----------
    folder : where they are kept; it is made if it doesn't exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, name: str, follows_from: Iterable[object], make: Callable[[Path], None]) -> Path:
        """The folder of a part, made now unless it was made before.

        Parameters
        ----------
        name : what it is, for people.
        follows_from : all that it depends on, each told by its text.
        make : fills an empty folder; what is begun and not ended leaves no part.
        """
        digest = hashlib.sha256("\n".join(map(str, follows_from)).encode()).hexdigest()[:16]
        part = self.folder / f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}-{digest}"
        if not part.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            begun = Path(mkdtemp(prefix=".begun-", dir=self.folder))
            try:
                make(begun)
                begun.replace(part)
            finally:
                rmtree(begun, ignore_errors=True)
        return part

    def remove(self) -> None:
        """Forget all of them."""
        rmtree(self.folder)


def code_of(*modules: ModuleType) -> str:
    """SHA-256 of the source of modules; of a package, that of all its modules."""
    digest = hashlib.sha256()
    for module in modules:
        path = Path(str(module.__file__))
        for file in sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()


def releases_of(*distributions: str) -> str:
    """The versions of libraries, as text."""
    return " ".join(f"{name}=={version(name)}" for name in distributions)
