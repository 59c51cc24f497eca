"""The command line: one file per command, imported when it runs."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: command -> (module, one line for the overview, panel).
COMMANDS: dict[str, tuple[str, str, str]] = {
    "init": (
        "_init",
        "Look at a data file and write a study for it, or start a scenario.",
        "Study",
    ),
    "check": ("_check", "Say what a study would do and cost; trains nothing.", "Study"),
    "evaluate": ("_evaluate", "Decide a study: train, measure, compare, recommend.", "Study"),
    "report": ("_report", "Write the report of the last decision again.", "Study"),
    "show": ("_show", "Show everything known of one candidate.", "Study"),
    "inspect": ("_inspect", "Say what a network costs, before anything is trained.", "Network"),
    "compare": ("_compare", "Put networks side by side.", "Network"),
    "price": (
        "_price",
        "Price a training run: hours, energy, carbon, money, every assumption.",
        "Network",
    ),
    "calibrate": (
        "_calibrate",
        "Measure this machine, so that times of networks can be predicted.",
        "Network",
    ),
    "features": ("_features", "Build, join, verify and list feature views.", "Data"),
    "dlp": ("_dlp", "Time, run and schedule programs of the deep-learning processor.", "Hardware"),
    "list": ("_list", "List qualities, families, processors, regions and more.", "Reference"),
    "schema": ("_schema", "Print the JSON Schema of the study file, for editors.", "Reference"),
}

#: What the system says where a file or a device takes no more.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

DONE, NOT_MET, WRONG_INPUT, OUR_FAULT, INTERRUPTED = 0, 1, 2, 3, 130


def build() -> Any:
    """Return the command group; the commands' own modules are not imported yet."""
    import typer
    from typer.core import TyperCommand, TyperGroup

    from tradespace import __version__

    class LazyGroup(TyperGroup):
        """Knows every command by name and help; imports one when it is called."""

        def list_commands(self, ctx: Any) -> list[str]:
            del ctx
            return list(COMMANDS)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            del ctx
            if cmd_name not in COMMANDS:
                return None
            _, summary, panel = COMMANDS[cmd_name]
            return TyperCommand(cmd_name, help=summary, rich_help_panel=panel)

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            del ctx
            name = args[0] if args else ""
            if name not in COMMANDS:
                _unknown_command(name)
            return name, _load(COMMANDS[name][0], name), args[1:]

    app = typer.Typer(
        cls=LazyGroup,
        add_completion=True,
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    def show_version(value: bool) -> None:
        if value:
            typer.echo(f"tradespace {__version__}")
            raise typer.Exit

    @app.callback()
    def root(
        version: bool = typer.Option(
            False,
            "--version",
            help="Print the version.",
            callback=show_version,
            is_eager=True,
        ),
    ) -> None:
        """Choose machine-learning components like an architect.

        Say what is needed in a study file; see every alternative priced; measure those that
        can still win; decide with evidence. Start with [bold]tradespace init[/bold].
        """
        del version

    return typer.main.get_command(app)


def _load(module: str, name: str) -> Any:
    import importlib

    import typer

    command = typer.main.get_command(importlib.import_module(f"tradespace.cli.{module}").app)
    command.name = name
    return command


def _unknown_command(name: str) -> None:
    from tradespace.core.errors import InputError
    from tradespace.core.suggest import unknown

    raise unknown(InputError, "command", name, COMMANDS)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Exits with 0 done and met, 1 done and not met or undecided, 2 the input is wrong or the
    folder for results cannot be used, 3 a fault of ours, 130 interrupted.
    """
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code."""
    from tradespace.core.errors import InputError, StoreError, TradespaceError

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that lacks a sign shows another in its place.
            stream.reconfigure(errors="replace")
    try:
        with _stopped_by_signals():
            code = _invoke(arguments)
            sys.stdout.flush()
            return code
    except (InputError, StoreError) as error:
        # A folder that is damaged, locked or full is for the person to mend, too.
        _complain(str(error))
        return WRONG_INPUT
    except KeyboardInterrupt:
        _complain("Interrupted; what was finished is kept: run the same command to go on.")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has gone; the rest of the output is not wanted.
        _drop_output()
        return DONE
    except TradespaceError as error:
        _complain(str(error))
        return OUR_FAULT
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            _drop_output()
            _complain(f"The output cannot be written: {error.strerror}.")
            return WRONG_INPUT
        if os.environ.get("TRADESPACE_DEBUG"):
            raise
        _complain(
            f"This is a fault of tradespace, not of your input: {type(error).__name__}: {error}\n"
            "Set TRADESPACE_DEBUG=1 and run again to see where it happened; please report it."
        )
        return OUR_FAULT


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end a command as Ctrl-C does, so that it cleans up."""
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    before = {number: signal.signal(number, _stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, _frame: object) -> None:
    raise KeyboardInterrupt(number)


def _drop_output() -> None:
    """Send what is still to be printed nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _invoke(arguments: list[str]) -> int:
    import typer

    command = build()
    try:
        result = command.main(arguments, prog_name="tradespace", standalone_mode=False)
    except typer.Exit as ending:
        return int(ending.exit_code)
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    except SystemExit as ending:
        # How typer and rich end where the reader has gone.
        if isinstance(ending.__context__, BrokenPipeError):
            raise ending.__context__ from None
        raise
    except _usage_error() as error:
        error.show()
        return WRONG_INPUT
    if result == INTERRUPTED:
        # How typer ends where it was interrupted.
        raise KeyboardInterrupt
    return result if isinstance(result, int) else DONE


def _usage_error() -> Any:
    """Return the base of typer's complaints about arguments, whoever ships it today."""
    import typer

    bases = typer.BadParameter.__mro__
    return next(base for base in bases if base.__name__ == "ClickException")


def _complain(text: str) -> None:
    print(f"error: {text}", file=sys.stderr)
