"""``python -m solon``"""

from solon.cli.main import run

run()
