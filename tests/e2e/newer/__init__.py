"""What hosts of Debian 12 cannot do: run on a lab of newer ones by `make test-postcopy`."""
