"""Values that every floor speaks: frozen, printable, without any I/O."""
