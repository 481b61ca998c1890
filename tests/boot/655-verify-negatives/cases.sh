# Second half of the guest's init, on the root disk: changes one setting at a time, runs
# the verifier and restores the setting. Prints a line for each case:
#
#     CASE name STATUS CHECK=RESULT...     the checks that don't pass
lib=/usr/lib/mkvbench thp=/sys/kernel/mm/transparent_hugepage/enabled
huge=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
source=/sys/devices/system/clocksource/clocksource0/current_clocksource
wants=/etc/systemd/system/multi-user.target.wants

print_line() { echo "$*" >/dev/ttyS0; }
verify() { # name, option
	mkvbench-verify --after-start $2 --host srv --out /run/m \
		--metrics /run/m.prom >/run/text 2>&1
	status=$?
	[ "$1" != base ] || sed -n 's/^  *\(.*expected .*\)/WHY \1/p' /run/text >/dev/ttyS0
	print_line "CASE $1 $status" $(sed -n 's/^mkvbench_check{check="\([^"]*\)",result="\(fail\|not-established\)"} 1/\1=\2/p' /run/m.prom)
}
# Runs a case with a changed file, then restores the file.
with_file() { # name, file, text
	cp -p $2 /run/before
	echo "$3" >$2
	verify $1
	cp -p /run/before $2
}
# Runs a case with another value in a file of the kernel.
with_value() { # name, file, other value, right value
	echo "$3" >$2
	verify $1
	echo "$4" >$2
}
# Runs a case while a process of that name runs.
with_process() { # name, process name
	cp /bin/pause /run/$2
	/run/$2 &
	sleep 0.2
	verify $1
	kill $!
	wait $! 2>/dev/null
}
with_contract() { # name: runs the case with another signed contract
	mount --bind /variants/$1 $lib
	verify $1
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

# Prints the time that tasks have run on CPU 1, in ns.
on_cpu1() { sed -n 's/^cpu1 //p' /proc/schedstat | cut -d' ' -f7; }
# Measures the load of a later run of the verifier on the CPU that isolcpus= and
# nohz_full= keep quiet: started as from a unit, and with both CPUs allowed.
measure_later_run() { # --watch or --after-start
	look="$1 --host srv --out /run/m --metrics /run/m.prom"
	was=$(on_cpu1)
	mkvbench-verify $look >/dev/null
	now=$(on_cpu1)
	quiet=$((now - was))
	taskset 2 mkvbench-verify --host srv --check sysctls --check units >/dev/null
	print_line "RAN quiet $quiet busy $(($(on_cpu1) - now))"
	taskset 3 mkvbench-verify $look >/dev/null &
	while set -- $(sed 's/.*) //' /proc/$!/stat) && [ $# -gt 40 ] && [ $1 != Z ]; do
		# processor and policy of /proc/PID/stat, proc(5)
		seen="on ${37} policy ${39} allowed $(sed -n 's/^Cpus_allowed_list:.//p' /proc/$!/status)"
	done
	print_line "WATCH $seen"
}
if grep -q mkvbench.case=other /proc/cmdline; then
	verify other
	# The gate reads every CPU; later runs use the gate's readings.
	mkvbench-verify --boot --host srv --out /run/m --metrics /run/m.prom >/dev/null
	measure_later_run --watch
	measure_later_run --after-start
	return
fi
for i in 1 2 3 4 5 6 7 8 9; do
	verify base
	grep -q '"fail"\|"not-established"' /run/m.prom || break
	sleep 2
done

with_value thp $thp always madvise
with_value ksm /sys/kernel/mm/ksm/run 1 0
with_value numa /proc/sys/kernel/numa_balancing 1 0
with_value sysctl /proc/sys/vm/swappiness 60 1
with_value scheduler /sys/block/vdb/queue/scheduler mq-deadline none
with_value huge-pages $huge 8 4
with_value clocksource $source acpi_pm $(cat $source)
mkswap /dev/vdb >/dev/null
swapon /dev/vdb
verify swap
swapoff /dev/vdb
ip link set eth0 mtu 1400
verify mtu
ip link set eth0 mtu 1500
with_process second-daemon systemd-timesyncd
with_process updater unattended-upgrades

with_file file-edited /etc/setting 'edited'
# Equal size and time: only reading the content detects the change.
cp -p /etc/setting /run/setting
echo wrong >/etc/setting
touch -r /run/setting /etc/setting
verify file-forged
cp -p /run/setting /etc/setting
mkdir -p /etc/docker
echo {} >/etc/docker/daemon.json
verify file-added
rm -r /etc/docker
mkdir /etc/systemd/system/mkvbench-verify.service.d
echo '[Service]' >/etc/systemd/system/mkvbench-verify.service.d/x.conf
verify drop-in
rm -r /etc/systemd/system/mkvbench-verify.service.d
mkdir -p /run/systemd/system
echo '[Service]' >/run/systemd/system/x.service
verify unit-of-boot
rm -r /run/systemd
chmod 0600 /etc/setting
verify file-mode
chmod 0644 /etc/setting
with_file package /var/lib/dpkg/status "$(sed 's/^Version: 1$/Version: 2/' /var/lib/dpkg/status)"
mv $wants/chrony.service /run/
verify unit-disabled
mv /run/chrony.service $wants/
rm /etc/systemd/system/apt-daily.timer
verify unit-unmasked
ln -s /dev/null /etc/systemd/system/apt-daily.timer
ln -s /usr/lib/systemd/system/rsync.service $wants/rsync.service
verify unit-enabled
rm $wants/rsync.service
with_file contract-mode $lib/contract.json "$(sed 's/"gate"/"warn"/' $lib/contract.json)"
for variant in metal governor boost kernel docker tpm; do
	with_contract $variant
done

echo 0 >/sys/devices/system/cpu/cpu1/online
verify cpu-offline
echo 1 >/sys/devices/system/cpu/cpu1/online
echo 4096 >/proc/sys/kernel/tainted
verify foreign-module
kill $(pidof chronyd)
sleep 0.5
verify no-daemon
