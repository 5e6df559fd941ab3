# The nft backend: one table of its own, replaced in one transaction.

readonly tool=nft

# check_rules FILE: refuses what the kernel would, and a file that would touch more than the table.
check_rules() {
	grep -qx 'table inet skep {' "$1" || die "$1: no table inet skep: is it a ruleset of this bundle?"
	if grep -Eqv '^(#.*|(delete )?table inet skep|table inet skep [{]|[}]|[[:blank:]].*|)$' "$1" || grep -Eq '^[[:blank:]]*(flush|include)' "$1"; then
		die "$1: touches more than table inet skep"
	fi
	nft -c -f "$1" || die "$1: nft refuses it"
}

# save_rules DIR: writes what brings the loaded table back; without one, what removes it again.
save_rules() {
	{
		echo 'table inet skep'
		echo 'delete table inet skep'
		if loaded; then nft --stateless list table inet skep; fi
	} >"$1/rules.nft"
}

restore_rules() { nft -f "$1/rules.nft"; }

apply_rules() { nft -f "$1"; }

loaded() { nft list table inet skep >/dev/null 2>&1; }

unload() { if loaded; then nft delete table inet skep; fi; }
