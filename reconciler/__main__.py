"""`python -m reconciler` and the `reconciler` script; nothing but the way in."""


def main() -> None:
    """Run the command line."""
    from reconciler.cli.garbage import unlooked

    with unlooked():
        from reconciler.cli.app import app

        app()


if __name__ == "__main__":
    main()
