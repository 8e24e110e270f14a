"""Builds what the base VM boots: a kernel, an initramfs made of busybox and dropbear, and a small disk with real files.

It must not contain a lab's key; `initrd_for` appends that to a copy.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
from pathlib import Path

from vlab.cpio import Archive
from vlab.places import CACHE, FILES
from vlab.process import run
from vlab.progress import step

SUITE = "bookworm"
PACKAGES = ("linux-image-cloud-amd64", "busybox-static", "dropbear-bin", "qemu-guest-agent")
MODULES = ("virtio_pci", "virtio_net", "virtio_blk", "virtio_balloon", "virtio_console", "ext4", "button", "evdev")
PROGRAMS = ("usr/sbin/dropbear", "usr/bin/dropbearkey", "usr/sbin/qemu-ga")
SCRIPTS = {"init": "guest-init.sh", "bin/udhcpc-script": "guest-dhcp.sh", "bin/dirty": "guest-dirty.sh"}
LIBRARIES = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu")
DISK_MB = 96


def path() -> Path:
    """Where the guest's files of the present recipe live, built or not."""
    recipe = [SUITE, *PACKAGES, *MODULES, *((FILES / name).read_text() for name in SCRIPTS.values())]
    return CACHE / f"guest-{hashlib.sha256(chr(10).join(recipe).encode()).hexdigest()[:12]}"


def build() -> Path:
    """Make kernel, initramfs and disk unless they are there."""
    final = path()
    if final.is_dir():
        return final
    making = final.with_name(final.name + ".making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    tree = making / "tree"
    with step(f"guest image {final.name}: kernel, initramfs, disk"):
        run("mmdebstrap", "--variant=extract", f"--include={','.join(PACKAGES)}", SUITE, tree)
        shutil.copy(next(tree.glob("boot/vmlinuz-*")), making / "vmlinuz")
        (making / "initrd-core.img").write_bytes(gzip.compress(_initramfs(tree), 6))
        _disk(making)
        shutil.rmtree(tree)
        making.rename(final)
    return final


def initrd_for(guest: Path, public_key: str) -> bytes:
    """The initramfs with one login key: the kernel unpacks archives that follow one another."""
    own = Archive()
    own.file("root/.ssh/authorized_keys", (public_key.strip() + "\n").encode(), 0o600)
    core = (guest / "initrd-core.img").read_bytes()
    return core + bytes(-len(core) % 512) + own.done()


def _initramfs(tree: Path) -> bytes:
    made = Archive()
    for folder in ("proc", "sys", "dev", "tmp", "mnt", "etc", "var/run"):
        made.folder(folder)
    made.folder("root/.ssh", 0o700)
    made.character_device("dev/console", 5, 1)
    made.file("bin/busybox", (tree / "bin/busybox").read_bytes(), 0o755)
    for name, script in SCRIPTS.items():
        made.file(name, (FILES / script).read_bytes(), 0o755)
    made.file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    made.file("etc/group", b"root:x:0:\n")
    made.file("etc/shells", b"/bin/sh\n")
    for name in ("etc/acpi/PWRF/00000080", "sbin/shutdown"):
        made.file(name, b"#!/bin/sh\nexec /init poweroff\n", 0o755)
    for program in PROGRAMS:
        made.file(program, (tree / program).read_bytes(), 0o755)
    for name, where in _libraries(tree).items():
        made.file(name, where.read_bytes(), 0o755)
    _modules(made, tree)
    return made.done()


def _libraries(tree: Path) -> dict[str, Path]:
    """Every shared library the programs need, under the name the dynamic linker looks for."""
    search = ":".join(str(tree / folder) for folder in LIBRARIES)
    linker = (tree / "lib64/ld-linux-x86-64.so.2").resolve()
    needed = {"lib64/ld-linux-x86-64.so.2": linker}
    for program in PROGRAMS:
        listed = run(linker, "--inhibit-cache", "--library-path", search, "--list", tree / program).out
        for words in (line.split() for line in listed.splitlines()):
            if "=>" in words:
                needed[f"lib/x86_64-linux-gnu/{words[0]}"] = Path(words[2]).resolve()
    return needed


def _modules(made: Archive, tree: Path) -> None:
    """The drivers, and /etc/modules which lists them in an order that insmod can follow."""
    version = next(tree.glob("lib/modules/*")).name
    run("depmod", "-b", tree, version)
    folder = tree / "lib/modules" / version
    lines = (line.partition(":") for line in (folder / "modules.dep").read_text().splitlines())
    needs = {name: after.split() for name, _, after in lines}
    by_name = {Path(name).name.partition(".")[0].replace("-", "_"): name for name in needs}
    order: list[str] = []

    def add(name: str) -> None:
        for other in reversed(needs[name]):
            add(other)
        if name not in order:
            order.append(name)

    for wanted in (*MODULES, "crc32c_generic"):
        if wanted in by_name:
            add(by_name[wanted])
    for name in order:
        made.file(f"lib/modules/{Path(name).name}", (folder / name).read_bytes())
    made.file("etc/modules", "".join(f"/lib/modules/{Path(name).name}\n" for name in order).encode())


def _disk(making: Path) -> None:
    """An ext4 disk with files whose content can be checked after a clone or a move."""
    content = making / "content"
    content.mkdir()
    blob = os.urandom(4 << 20)
    (content / "data.bin").write_bytes(blob)
    (content / "data.sha256").write_text(f"{hashlib.sha256(blob).hexdigest()}  data.bin\n")
    (content / "README").write_text("Base disk of the lab's guest. `boots` gets a line at each boot.\n")
    raw = making / "disk.raw"
    with raw.open("wb") as file:
        file.truncate(DISK_MB << 20)
    run("mke2fs", "-q", "-t", "ext4", "-L", "lab", "-d", content, raw)
    shutil.rmtree(content)
