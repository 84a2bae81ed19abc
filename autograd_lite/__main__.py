"""The command ``python -m autograd_lite``."""

import sys

if __name__ == "__main__":
    try:
        from autograd_lite.commandline.application import run

        status = run(sys.argv[1:])
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)
