"""The command line: reads words, calls the engine, shows values; knows nothing about hosts."""
