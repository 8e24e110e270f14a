# In the storage host: copy the volume's files aside. $1 = volume, $2 = name to keep it under.
rm -rf "/srv/bricks/.kept/$2"
mkdir -p "/srv/bricks/.kept/$2"
find "/srv/bricks/$1" -mindepth 1 -maxdepth 1 ! -name .glusterfs \
    -exec cp -r --preserve=mode,ownership,timestamps --sparse=always -t "/srv/bricks/.kept/$2" {} +
