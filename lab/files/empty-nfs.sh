# In the storage host: remove every file of the export. $1 = name of this host, $2 = volume.
find "/srv/bricks/$2" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
