"""`python -m reconciler` and the `reconciler` script; nothing but the way in."""


def main() -> None:
    """Run the command line. A pass builds large values and drops few, so that looking for garbage less often pays."""
    import gc

    from reconciler.cli.app import app

    gc.set_threshold(200_000, 50, 50)
    app()


if __name__ == "__main__":
    main()
