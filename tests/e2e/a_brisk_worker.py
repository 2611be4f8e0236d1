"""A worker as a process of its own with the brisk studio, by the clock of its data folder."""

if __name__ == "__main__":  # its children import this too, and need nothing of it
    import asyncio
    from pathlib import Path

    from tests.e2e.a_worker import main
    from tests.e2e.clocks import clock_of

    asyncio.run(main(clock=clock_of(Path.cwd()), studio="tests.e2e.brisk:Brisk"))
