"""`python -m experiments run|checkpoint|accept|report`; see `--help`."""

import argparse
from pathlib import Path


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m experiments", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="measure the claims of a lesson over seeds")
    run.add_argument("lesson", help="two digits, e.g. 02")
    run.add_argument("--seeds", type=int, default=5, help="how many; they are 0 … seeds-1")
    run.add_argument("--source", default="default", help="of the data: default, real, or another that the lesson has")
    run.add_argument("--fast", action="store_true", help="few steps, to test the machinery; never in data/results")
    run.add_argument(
        "--parts", nargs="+", default=(), help="measure only these parts; a run without it writes the result"
    )
    run.add_argument("--jobs", type=int, default=1, help="how many measurements side by side on this machine")
    run.add_argument("--cluster", help="address of a Dask scheduler whose workers measure, e.g. tcp://host:8786")
    run.add_argument("--work-folder", type=Path, default=Path("runs"), help="where finished seeds wait for the others")
    checkpoint = commands.add_parser("checkpoint", help="train the checkpoints of a lesson again")
    checkpoint.add_argument("lesson", help="two digits, e.g. 02")
    checkpoint.add_argument("names", nargs="*", help="which of them; all if none is named")
    accept = commands.add_parser("accept", help="let a stored result stand, after a change of the code")
    accept.add_argument("lesson", help="two digits, e.g. 02")
    accept.add_argument("--reason", required=True, help="why the change cannot matter to it; stored with the date")
    accept.add_argument("--source", default="default", help="of the data: default or real")
    for command in (run, checkpoint, accept):
        command.add_argument("--threads", type=int, help="CPU threads; PyTorch's own choice if not given")
    report = commands.add_parser("report", help="print the table of claims")
    report.add_argument("--write", action="store_true", help="also bring README.md and docs/claims.md up to date")
    options = parser.parse_args(arguments)

    if options.command == "report":
        from experiments import report as reporting

        print(reporting.claims_report())
        if options.write:
            reporting.write()
        return
    if options.threads:
        import torch

        torch.set_num_threads(options.threads)
    from experiments import runner

    try:
        runner.find_experiment(options.lesson).check_source(getattr(options, "source", "default"))
    except ValueError as error:
        parser.error(str(error))
    if options.command == "run":
        names = ("seeds", "source", "fast", "parts", "jobs", "cluster", "work_folder")
        chosen = {name: getattr(options, name) for name in names}
        path = runner.run(options.lesson, **chosen)
        print(f"written: {path}" if path else "measured; run again without --parts to write the result")
    elif options.command == "accept":
        print(f"written: {runner.accept(options.lesson, options.reason, options.source)}")
    else:
        runner.make_checkpoints(options.lesson, options.names)


if __name__ == "__main__":
    main()
