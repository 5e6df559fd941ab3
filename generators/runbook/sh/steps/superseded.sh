# Values of secrets that have had their time.

# superseded OBJECT: another revision took its place. The value of a service that is off stays: with its volume the
# service may come back, and want the same one.
superseded() {
	[[ $1 =~ ^(.+)-r[0-9]+$ && " ${secrets[*]%% *} " != *" $1 "* && " ${secrets[*]%% *} " == *" ${BASH_REMATCH[1]}-r"* ]]
}
