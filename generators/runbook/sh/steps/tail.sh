# What runbook.sh shows and obeys.
metadata() {
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$step_id" "$step_title" "$step_why" "$step_hosts" "$step_order" \
		"${step_needs:--}" "${step_danger:--}" "$step_undo"
}
