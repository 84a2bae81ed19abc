"""The command ``python -m nn``."""

import sys

if __name__ == "__main__":
    try:
        from nn.train_command import main

        status = main(sys.argv[1:])
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)
