# The first process of a namespace guest: makes the guest's own root file system, then lives until the power is cut.
# Started in fresh mount, UTS, IPC and PID namespaces and in the guest's network namespace, with the folder of the guest's disk.
set -eu
disk=$1

# /proc is still the machine's here: the pid that the machine knows this process by.
read -r pid rest </proc/self/stat

mount --make-rprivate /
# The image of every guest is the machine's own root file system; what the guest writes goes to its disk.
mount -t overlay overlay -o "lowerdir=/,upperdir=$disk/upper,workdir=$disk/work" "$disk/root"
cd "$disk/root"
mount -t proc -o nosuid,nodev,noexec proc proc
mount -t sysfs -o nosuid,nodev,noexec,ro sysfs sys
mount -t tmpfs -o mode=755,size=1m dev dev
mount -t tmpfs -o mode=755,size=64m run run
mount -t tmpfs -o mode=1777,size=64m tmp tmp
# The people of the machine, their keys and their work are none of the guest's business.
mount --bind "$disk/home" home
mount --bind "$disk/root-home" root

mkdir dev/pts dev/shm run/old run/lock run/sshd
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777,size=16m shm dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0

pivot_root . run/old
cd /
umount -l /run/old
rmdir /run/old

ip link set lo up
# The lab's own addresses (127.1.x.y) stand on interfaces.
sysctl -q -w net.ipv4.conf.all.route_localnet=1

# keepalived tells a parent of this name only that it is ready.
printf systemd >/proc/self/comm

# Whatever is written to the console comes out where the lab reads it.
mkfifo -m 622 /run/console
exec 3<>/run/console
cat <&3 &

echo "up $pid"
# Waiting reaps whatever lost its parent.
while :; do
  sleep infinity </dev/null >/dev/null 2>&1 3>&- &
  wait "$!" || :
done
