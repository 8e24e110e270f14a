"""Pool XML as libvirt prints it: read, written, read again, the same."""

import pytest

from reconciler.kind import Sight
from reconciler.kinds.pool.state import Definition
from reconciler.kinds.pool.wire import amend_pool, read, read_mounts, read_pool, read_space, write_pool
from reconciler.model.fleet import Fleet, HostCard
from reconciler.readings import Inventory, PoolReading, Reply, VolumeReading

# virsh pool-dumpxml, libvirt 9.0.0 (test:///default)
DIR = """<pool type='dir'>
  <name>default-pool</name>
  <uuid>dfe224cb-28fb-8dd0-c4b2-64eb3f0f4566</uuid>
  <capacity unit='bytes'>107374182400</capacity>
  <allocation unit='bytes'>0</allocation>
  <available unit='bytes'>107374182400</available>
  <source>
  </source>
  <target>
    <path>/default-pool</path>
  </target>
</pool>
"""
NFS = """<pool type='netfs'>
  <name>CONT</name>
  <uuid>3a785b37-cc4d-47e5-93dc-af44c13724fb</uuid>
  <capacity unit='bytes'>107374182400</capacity>
  <allocation unit='bytes'>0</allocation>
  <available unit='bytes'>107374182400</available>
  <source>
    <host name='nas.vpd.com'/>
    <dir path='/export/comp'/>
    <format type='nfs'/>
    <protocol ver='4.2'/>
  </source>
  <target>
    <path>/var/lib/x</path>
  </target>
</pool>
"""
CIFS = NFS.replace("'nfs'", "'cifs'").replace("    <protocol ver='4.2'/>\n", "").replace("/export/comp", "/share")
# virsh pool-dumpxml of an active pool, libvirt 9.0.0 in the lab
GLUSTER = """<pool type='netfs'>
  <name>CONT_VOL_COMP</name>
  <uuid>88bb8c4f-26d6-4d9a-9740-1d5734119552</uuid>
  <capacity unit='bytes'>270553174016</capacity>
  <allocation unit='bytes'>25658757120</allocation>
  <available unit='bytes'>244894416896</available>
  <source>
    <host name='nas.vpd.com'/>
    <dir path='/comp'/>
    <format type='glusterfs'/>
  </source>
  <target>
    <path>/var/lib/libvirt/images/COMPARTIDO</path>
    <permissions>
      <mode>0755</mode>
      <owner>0</owner>
      <group>0</group>
    </permissions>
  </target>
</pool>
"""
READ = [
    (DIR, Definition("dir", "/default-pool")),
    (NFS, Definition("netfs", "/var/lib/x", "nas.vpd.com", "/export/comp", "nfs", "4.2")),
    (CIFS, Definition("netfs", "/var/lib/x", "nas.vpd.com", "/share", "cifs")),
    (GLUSTER, Definition("netfs", "/var/lib/libvirt/images/COMPARTIDO", "nas.vpd.com", "/comp", "glusterfs")),
]


@pytest.mark.parametrize(("xml", "definition"), READ)
def test_what_libvirt_prints_is_read_and_written_back(xml: str, definition: Definition) -> None:
    name, uuid, found = read_pool(xml)
    assert found == definition
    assert read_pool(write_pool(name, uuid, found)) == (name, uuid, definition)


def test_a_new_pool_has_no_uuid_and_escapes_its_texts() -> None:
    xml = write_pool("a&b", "", Definition("dir", "/a<b"))
    assert "uuid" not in xml
    assert read_pool(xml) == ("a&b", "", Definition("dir", "/a<b"))


def test_amending_keeps_what_nobody_declares() -> None:
    name, uuid, _ = read_pool(GLUSTER)
    wanted = Definition("netfs", "/new", "nas2.vpd.com", "/export", "nfs", "4.2")
    amended = amend_pool(GLUSTER, write_pool(name, uuid, wanted))
    assert read_pool(amended) == (name, uuid, wanted)
    assert "<mode>0755</mode>" in amended
    folder = Definition("dir", "/new")
    assert read_pool(amend_pool(amended, write_pool(name, uuid, folder)))[2] == folder


EVIL = '<!DOCTYPE pool [<!ENTITY x SYSTEM "file:///etc/hostname">]><pool'


@pytest.mark.parametrize("xml", ["", "<domain/>", "<pool>", f"{EVIL}s>&x;</pools>"])
def test_what_is_no_pool_is_an_error(xml: str) -> None:
    with pytest.raises(ValueError, match="pool's definition"):
        read_pool(xml)


def test_an_entity_opens_no_file() -> None:
    assert read_pool(NFS.replace("<pool", EVIL, 1).replace("CONT", "&x;"))[0] == ""


def test_mounts_are_read_and_the_uppermost_counts() -> None:
    text = "/a fuse.glusterfs nas:/comp\n/b \n/c nfs4 nas:/with\\040space\n"
    assert read_mounts(text) == {"/a": ("fuse.glusterfs", "nas:/comp"), "/c": ("nfs4", "nas:/with space")}


def test_declared_and_undeclared_pools_are_seen_but_tokens_are_not() -> None:
    volumes = tuple(VolumeReading(name, f"/{name}", 2, 1) for name in ("b", ".reconciler-token-1", "a"))
    pools = (PoolReading("CONT", NFS, True, True, 10, 4, 6, volumes), PoolReading("default-pool", DIR, True, False))
    replies = {"mounts": Reply(0, "/var/lib/x nfs4 nas.vpd.com:/export/comp\n")}
    seen = dict(read(Sight(HostCard("a", "a.b", "a.b"), Fleet(), replies, Inventory("a", pools=pools))))
    first, second = seen.values()
    assert [str(place) for place in seen] == ["pool/CONT@a", "pool/default-pool@a"]
    assert (first.mounted_type, first.mounted_source) == ("nfs4", "nas.vpd.com:/export/comp")
    assert [volume.name for volume in first.volumes] == ["a", "b"]
    assert second.definition == Definition("dir", "/default-pool")


def test_free_space_by_path() -> None:
    assert read_space("10 4096 /srv/a b\n\nno\n3 1 /srv/c\n") == {"/srv/a b": 40960, "/srv/c": 3}
