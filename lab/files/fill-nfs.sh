# In the storage host: make the export hold what was kept, or nothing. $1 = name of this host, $2 = volume, $3 = kept name.
find "/srv/bricks/$2" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
[ -z "$3" ] || cp -r --preserve=mode,ownership,timestamps --sparse=always "/srv/bricks/.kept/$3/." "/srv/bricks/$2/"
