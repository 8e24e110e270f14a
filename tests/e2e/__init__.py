"""The lab, through the command line, exactly as a user would; truth is read on the hosts by other means."""
