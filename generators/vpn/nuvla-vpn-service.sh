# Prints what Nuvla is told about this VPN, as JSON: the body of POST /api/infrastructure-service. Every field that its
# web interface or NuvlaEdge needs for a profile is filled, those too that the API's own schema calls optional. The
# shared key is a secret: keep what is printed out of logs and repositories.
#
# PARENT is the id of the infrastructure-service-group that the service belongs to.

export LC_ALL=C
script=${BASH_SOURCE[0]##*/}

fail() {
	local code=$1
	shift
	printf '%s: %s\n' "$script" "$*" >&2
	exit "$code"
}

# quoted TEXT as a JSON string. What it gets are PEM texts and words of the spec: no control character but newlines.
quoted() {
	local text=$1
	text=${text//\\/\\\\}
	text=${text//\"/\\\"}
	text=${text//$'\n'/\\n}
	printf '"%s"' "$text"
}

if [[ ${1-} == -h || ${1-} == --help ]]; then
	echo "usage: $script DIR PARENT; DIR is the directory of generate-vpn-pki.sh, PARENT the id of an infrastructure-service-group"
	exit 0
fi
(($# == 2)) || fail 2 "want a directory and the id of an infrastructure-service-group; try --help"
[[ $2 =~ ^infrastructure-service-group/[A-Za-z0-9-]+$ ]] || fail 2 "$2: want an id such as infrastructure-service-group/..."
for file in root.pem server-ca.pem server/tls-crypt.key; do
	[[ -s $1/$file ]] || fail 3 "$1/$file is missing; make it with generate-vpn-pki.sh"
done

cat <<END
{
  "name": $(quoted "vpn of $cluster"),
  "description": $(quoted "OpenVPN access to $cluster"),
  "template": {
    "href": "infrastructure-service-template/vpn",
    "parent": $(quoted "$2"),
    "vpn-scope": $(quoted "$scope"),
    "vpn-endpoints": [
      {"protocol": $(quoted "$protocol"), "port": $port, "endpoint": $(quoted "$endpoint")}
    ],
    "vpn-ca-certificate": $(quoted "$(<"$1/root.pem")"),
    "vpn-intermediate-ca": [
      $(quoted "$(<"$1/server-ca.pem")")
    ],
    "vpn-shared-key": $(quoted "$(<"$1/server/tls-crypt.key")"),
    "vpn-common-name-prefix": $(quoted "$prefix")
  }
}
END
