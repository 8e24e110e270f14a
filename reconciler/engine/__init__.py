"""The pass, one file per step; `once` reads them straight down, and no step calls another."""
