"""`python -m experiments run|checkpoint|judge|report|costs`; see `--help`."""

import argparse
from pathlib import Path

from experiments import costs, report, runner


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m experiments", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="measure the claims of a lesson over seeds")
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
    checkpoint.add_argument("names", nargs="*", help="which of them; all if none is named")
    for command in (run, checkpoint):
        command.add_argument("--threads", type=int, help="CPU threads; PyTorch's own choice if not given")
    judge = commands.add_parser("judge", help="derive the verdicts of a stored result from its measurements again")
    judge.add_argument("--source", help="of the data; all stored ones if not given")
    judge.add_argument("--gates", action="store_true", help="measure the gates again, from the data")
    for command in (run, checkpoint, judge):
        command.add_argument("lesson", help="two digits, e.g. 02" + " (or all)" * (command is judge))
    reports = commands.add_parser("report", help="print the table of claims")
    reports.add_argument("--write", action="store_true", help="also bring README.md and docs/claims.md up to date")
    commands.add_parser("costs", help="print what the evidence costs, beside its budget, and the plan")
    options = parser.parse_args(arguments)

    if options.command == "report":
        print(report.claims_report())
        if options.write:
            report.write()
    elif options.command == "costs":
        print(costs.costs_page())
    elif options.command == "judge":
        for stored in report.results():
            if options.lesson in (stored["lesson"], "all") and options.source in (stored["source"], None):
                result = runner.judge(stored["lesson"], stored["source"], options.gates)
                print(f"{result['lesson']}-{result['source']}: {report.counts(result['claims'])}", flush=True)
    else:
        if options.threads:
            import torch

            torch.set_num_threads(options.threads)
        try:
            runner.find_experiment(options.lesson).check_source(getattr(options, "source", "default"))
        except ValueError as error:
            parser.error(str(error))
        if options.command == "run":
            names = ("seeds", "source", "fast", "parts", "jobs", "cluster", "work_folder")
            path = runner.run(options.lesson, **{name: getattr(options, name) for name in names})
            print(f"written: {path}" if path else "measured; run again without --parts to write the result")
        else:
            runner.make_checkpoints(options.lesson, options.names)


if __name__ == "__main__":
    main()
