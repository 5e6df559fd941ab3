package schema

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// shared is the range of carriers (RFC 6598): as little of the internet as the private ranges.
var shared = netip.MustParsePrefix("100.64.0.0/10")

func isPrivate(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLinkLocalUnicast() || shared.Contains(a)
}

// clear finds nodes that talk to each other in the clear over addresses of the internet.
func (l *linter) clear() {
	var public []string
	for _, n := range l.Nodes {
		if !isPrivate(n.Address) {
			public = append(public, n.Name)
		}
	}
	var what []string
	if !l.Network.Public.Encrypted {
		what = append(what, "overlay traffic")
	}
	if l.Services.NFS != nil {
		what = append(what, "NFS")
	}
	if len(public) == 0 || len(l.Nodes) == 1 || len(what) == 0 || l.Mesh() != nil {
		return
	}
	verb := "have public addresses"
	if len(public) == 1 {
		verb = "has a public address"
	}
	l.add("nodes-clear", "nodes", fmt.Sprintf("%s %s, and %s between the nodes is neither encrypted nor signed; services.vpn.mesh makes it so", several(public), verb, strings.Join(what, " and ")))
}

// forgers are the engines that send and believe what encrypted overlays should protect (CVE-2023-28840, -28841, -28842):
// each from the first version on, and below the second.
var forgers = [][2]Version{{{}, {20, 10, 24}}, {{21, 0, 0}, {23, 0, 3}}}

// encryption finds engines that do not encrypt as they are told to.
func (l *linter) encryption() {
	if !l.Network.Public.Encrypted || l.Mesh() != nil {
		return
	}
	from, below := ParseVersion(l.Engine.Versions.From), ParseVersion(l.Engine.Versions.Below)
	if slices.ContainsFunc(forgers, func(f [2]Version) bool { return from.Less(f[1]) && f[0].Less(below) }) {
		l.add("encrypted-engine", l.settable("engine.versions.from", "network.public.encrypted"),
			fmt.Sprintf("engines before 20.10.24, and 23.0 before 23.0.3, may send encrypted overlays in the clear, and engine.versions.from is %s; want 23.0.3 or later", l.Engine.Versions.From))
	}
}

// chats take messages of their own form, at URLs that are secrets.
var chats = []string{"hooks.slack.com", "discord.com", "discordapp.com", "api.telegram.org", "chat.googleapis.com", "webhook.office.com", "logic.azure.com"}

// webhook finds a receiver that wants another form, and a token in its URL.
func (l *linter) webhook() {
	m := l.Services.Monitoring
	if m == nil || m.Alerts == nil || m.Alerts.Webhook == nil {
		return
	}
	u, err := url.Parse(m.Alerts.Webhook.URL)
	if err != nil {
		return
	}
	host := strings.ToLower(u.Hostname())
	if slices.ContainsFunc(chats, func(c string) bool { return host == c || strings.HasSuffix(host, "."+c) }) {
		l.add("webhook-chat", "services.monitoring.alerts.webhook.url", "is of a chat: it refuses what Alertmanager sends, and the token in the URL stands in the bundle; name a bridge of your own")
	}
}

// narrowest is the prefix length from which a network may be somebody's own; wider ones are parts of the world.
const narrowest = 8

// wide finds users whose networks hold a range of the cluster's own.
func (l *linter) wide() {
	for i, p := range l.Access.Users {
		for _, s := range l.ownNetworks() {
			if p.Bits() >= narrowest && p.Bits() < s.prefix.Bits() && p.Overlaps(s.prefix) {
				l.add("users-range", fmt.Sprintf("access.users.%d", i), fmt.Sprintf("holds %s, which is %s: users there get no answer from containers", s.path, s.prefix))
			}
		}
	}
}

func clearAdvice() []Advice {
	return []Advice{
		{
			ID:    "encrypted-engine",
			Title: "overlays are to be encrypted by engines that may not do so",
			Why:   "Engines before 20.10.24, and 23.0 before 23.0.3, send packets of encrypted overlays in the clear, and take forged ones, where the kernel lacks a module (CVE-2023-28840, CVE-2023-28841, CVE-2023-28842). Nothing tells you.",
			Way:   "Set engine.versions.from to 23.0.3 or later, or to 20.10.24 with engine.versions.below 21.0: the preflight step then refuses others. Or let services.vpn.mesh encrypt.",
		},
		{
			ID:    "nodes-clear",
			Title: "nodes with public addresses talk to each other in the clear",
			Why:   "Overlay networks travel in VXLAN, which is neither encrypted nor signed, and NFS is no better. Who is on the way between two nodes reads and changes it, and whoever can send packets with a node's address puts packets of his own into the overlays.",
			Way:   "Turn services.vpn.mesh on: WireGuard then carries all that the nodes say to each other. network.public.encrypted encrypts the overlays, but not NFS. Nothing is wrong where the addresses are public in form only, and the network between the nodes is yours.",
		},
		{
			ID:    "users-range",
			Title: "users may come from addresses that the cluster uses itself",
			Why:   "A network of access.users holds a range from which the engine makes networks of its own. What a container answers to an address in there goes into such a network, and never to the user.",
			Way:   "Choose a range where nobody is for engine.pool or engine.bridges; the pool is fixed when the swarm is made. Leave the warning be when no user has an address there.",
		},
		{
			ID:    "webhook-chat",
			Title: "alerts are sent to a chat that refuses them",
			Why:   "Alertmanager's webhook has a form of its own; Slack, Teams, Discord and the like answer 400 to it, so nobody is told. Their URLs also are secrets: whoever has one may post, and yours stands in the bundle and in git.",
			Way:   "Name a bridge that you run, such as one that turns Alertmanager's webhook into messages of the chat and keeps its URL, or use services.monitoring.alerts.email. Withdraw the URL if the bundle left your hands.",
		},
	}
}
