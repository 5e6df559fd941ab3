# Writes when the certificates of the Docker API end, for node-exporter to read. A reader sees the old file or the new one.

umask 022
new=$measures.$$ # the timer and the runbook may call at once
trap 'rm -f -- "$new"' EXIT
{
	printf '# HELP skep_certificate_not_after_seconds When a certificate of the Docker API ends, in seconds since 1970.\n'
	printf '# TYPE skep_certificate_not_after_seconds gauge\n'
	for file in "${certificates[@]}"; do
		end=$(openssl x509 -enddate -noout -in "$file")
		end=$(date --utc --date="${end#notAfter=}" +%s)
		printf 'skep_certificate_not_after_seconds{file="%s"} %d\n' "$file" "$end"
	done
} >"$new"
mv -f -- "$new" "$measures"
