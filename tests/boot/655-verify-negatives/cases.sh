# Second half of the guest's init, on the root disk: one thing after the other is
# changed, the verifier asked, the thing put right again. A line each:
#
#     CASE name STATUS CHECK=RESULT...     the checks that don't pass
lib=/usr/lib/mkvbench thp=/sys/kernel/mm/transparent_hugepage/enabled
huge=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
source=/sys/devices/system/clocksource/clocksource0/current_clocksource
wants=/etc/systemd/system/multi-user.target.wants

say() { echo "$*" >/dev/ttyS0; }
ask() { # name, option
	mkvbench-verify --after-start $2 --host srv --out /run/m \
		--metrics /run/m.prom >/run/text 2>&1
	status=$?
	[ "$1" != base ] || sed -n 's/^  *\(.*expected .*\)/WHY \1/p' /run/text >/dev/ttyS0
	say "CASE $1 $status" $(sed -n 's/^mkvbench_check{check="\([^"]*\)",result="\(fail\|not-established\)"} 1/\1=\2/p' /run/m.prom)
}
# name, file, text: another content, and the former one again
swapped() {
	cp -p $2 /run/before
	echo "$3" >$2
	ask $1
	cp -p /run/before $2
}
# name, file, other value, right value: for files of the kernel's
switched() {
	echo "$3" >$2
	ask $1
	echo "$4" >$2
}
# name, process's name: a daemon of that name runs
beside() {
	cp /bin/pause /run/$2
	/run/$2 &
	sleep 0.2
	ask $1
	kill $!
	wait $! 2>/dev/null
}
contract() { # name: another signed contract
	mount --bind /variants/$1 $lib
	ask $1
	umount $lib
}

echo madvise >$thp
echo 4 >$huge
echo 0 >/sys/kernel/mm/ksm/run
echo 0 >/proc/sys/kernel/numa_balancing
echo 1 >/proc/sys/vm/swappiness
for disk in vda vdb sda sdb; do
	[ ! -e /sys/block/$disk ] || echo none >/sys/block/$disk/queue/scheduler
done
ip link set lo up
ip link set eth0 up
ip address add 10.77.0.1/24 dev eth0
chronyd -u root -F 0 -f /chrony.conf
sleep 1

# The time that tasks have run on CPU 1, in ns.
on_cpu1() { sed -n 's/^cpu1 //p' /proc/schedstat | cut -d' ' -f7; }
# What a later look does to the CPU that isolcpus= and nohz_full= keep quiet: started as
# from a unit, and started by somebody who gives it both CPUs.
look_at() { # --watch or --after-start
	look="$1 --host srv --out /run/m --metrics /run/m.prom"
	was=$(on_cpu1)
	mkvbench-verify $look >/dev/null
	now=$(on_cpu1)
	quiet=$((now - was))
	taskset 2 mkvbench-verify --host srv --check sysctls --check units >/dev/null
	say "RAN quiet $quiet busy $(($(on_cpu1) - now))"
	taskset 3 mkvbench-verify $look >/dev/null &
	while set -- $(sed 's/.*) //' /proc/$!/stat) && [ $# -gt 40 ] && [ $1 != Z ]; do
		# processor and policy, as they stand in proc(5)'s stat
		seen="on ${37} policy ${39} allowed $(sed -n 's/^Cpus_allowed_list:.//p' /proc/$!/status)"
	done
	say "WATCH $seen"
}
if grep -q mkvbench.case=other /proc/cmdline; then
	ask other
	# The gate reads every CPU, the later looks what it has read.
	mkvbench-verify --boot --host srv --out /run/m --metrics /run/m.prom >/dev/null
	look_at --watch
	look_at --after-start
	return
fi
for i in 1 2 3 4 5 6 7 8 9; do
	ask base
	grep -q '"fail"\|"not-established"' /run/m.prom || break
	sleep 2
done

switched thp $thp always madvise
switched ksm /sys/kernel/mm/ksm/run 1 0
switched numa /proc/sys/kernel/numa_balancing 1 0
switched sysctl /proc/sys/vm/swappiness 60 1
switched scheduler /sys/block/vdb/queue/scheduler mq-deadline none
switched huge-pages $huge 8 4
switched clocksource $source acpi_pm $(cat $source)
mkswap /dev/vdb >/dev/null
swapon /dev/vdb
ask swap
swapoff /dev/vdb
ip link set eth0 mtu 1400
ask mtu
ip link set eth0 mtu 1500
beside second-daemon systemd-timesyncd
beside updater unattended-upgrades

swapped file-edited /etc/setting 'edited'
# As many bytes, of the same time: only who reads them sees it.
cp -p /etc/setting /run/setting
echo wrong >/etc/setting
touch -r /run/setting /etc/setting
ask file-forged
cp -p /run/setting /etc/setting
mkdir -p /etc/docker
echo {} >/etc/docker/daemon.json
ask file-added
rm -r /etc/docker
mkdir /etc/systemd/system/mkvbench-verify.service.d
echo '[Service]' >/etc/systemd/system/mkvbench-verify.service.d/x.conf
ask drop-in
rm -r /etc/systemd/system/mkvbench-verify.service.d
mkdir -p /run/systemd/system
echo '[Service]' >/run/systemd/system/x.service
ask unit-of-boot
rm -r /run/systemd
chmod 0600 /etc/setting
ask file-mode
chmod 0644 /etc/setting
swapped package /var/lib/dpkg/status "$(sed 's/^Version: 1$/Version: 2/' /var/lib/dpkg/status)"
mv $wants/chrony.service /run/
ask unit-disabled
mv /run/chrony.service $wants/
rm /etc/systemd/system/apt-daily.timer
ask unit-unmasked
ln -s /dev/null /etc/systemd/system/apt-daily.timer
ln -s /usr/lib/systemd/system/rsync.service $wants/rsync.service
ask unit-enabled
rm $wants/rsync.service
swapped contract-mode $lib/contract.json "$(sed 's/"gate"/"warn"/' $lib/contract.json)"
for variant in metal governor boost kernel docker tpm; do
	contract $variant
done

echo 0 >/sys/devices/system/cpu/cpu1/online
ask cpu-offline
echo 1 >/sys/devices/system/cpu/cpu1/online
echo 4096 >/proc/sys/kernel/tainted
ask foreign-module
kill $(pidof chronyd)
sleep 0.5
ask no-daemon
