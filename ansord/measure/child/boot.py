"""The script of a measuring child: `python -I boot.py ROLE CLIENT_FOLDER FD`, ROLE a module of this folder.

The folder is loaded under a name of its own, so that none of the daemon's packages is imported with it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

NAME = "ansord_measuring"


def main(role: str, client: str, fd: str) -> None:
    here = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        NAME, here / "__init__.py", submodule_search_locations=[str(here)]
    )
    assert spec is not None and spec.loader is not None
    sys.modules[NAME] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[NAME])
    sys.path.append(client)
    importlib.import_module(f"{NAME}.{role}").main(int(fd))


if __name__ == "__main__":
    main(*sys.argv[1:])
