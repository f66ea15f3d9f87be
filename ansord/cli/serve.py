"""The daemon: tunes what is dropped into the inbox, until SIGTERM. A second SIGTERM does not wait."""

from __future__ import annotations

import argparse

import anyio

from ansord.cli.places import add_places, settings_of


def arguments(parser: argparse.ArgumentParser) -> None:
    add_places(parser, "inbox", "cache", "state", "threads")
    parser.add_argument(
        "--until-idle", action="store_true", help="end when all is tuned; 1 if any drop failed"
    )


def run(options: argparse.Namespace) -> int:
    from ansord.daemon import configure_logs, opening, serve

    settings = settings_of(options)
    configure_logs(settings.log_level)
    begin = opening(settings)

    async def live() -> int:
        return await serve(
            settings,
            begin.open,
            begin.facts,
            until_idle=options.until_idle,
            reload=lambda: settings_of(options),
        )

    return anyio.run(live)
