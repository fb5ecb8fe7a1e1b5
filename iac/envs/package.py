"""`python -m iac.envs.package PATH` writes the functions' code as a zip for `function_package`.

It is the very package the local bootstrap gives the emulator: the same sources make the same
bytes, so that a plan without a change of code shows none.
"""

import sys
from pathlib import Path

from iac.local.functions import package


def write(path: Path) -> str:
    """Returns the SHA-256 in base64, as Lambda reports it (CodeSha256)."""
    content, digest = package()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return digest


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.stdout.write(f"{write(Path(sys.argv[1]))}\n")
