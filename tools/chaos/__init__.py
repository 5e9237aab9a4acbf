"""Bad moments: a small cluster works while its processes, disk, ports and files are disturbed."""
