package lint

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"skep.dev/schema"
	"skep.dev/schema/finding"
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
	l.add("nodes-clear", "nodes", fmt.Sprintf("%s %s, and %s between the nodes is neither encrypted nor signed; services.vpn.mesh makes it so", finding.Several(public), verb, strings.Join(what, " and ")))
}

// forgers are the engines that send and believe what encrypted overlays should protect (CVE-2023-28840, -28841, -28842):
// each from the first version on, and below the second.
var forgers = [][2]schema.Version{{{}, {20, 10, 24}}, {{21, 0, 0}, {23, 0, 3}}}

// encryption finds engines that do not encrypt as they are told to.
func (l *linter) encryption() {
	if !l.Network.Public.Encrypted || l.Mesh() != nil {
		return
	}
	from, below := schema.ParseVersion(l.Engine.Versions.From), schema.ParseVersion(l.Engine.Versions.Below)
	if slices.ContainsFunc(forgers, func(f [2]schema.Version) bool { return from.Less(f[1]) && f[0].Less(below) }) {
		l.add("encrypted-engine", l.spec.FirstOf("engine.versions.from", "network.public.encrypted"),
			fmt.Sprintf("engines before 20.10.24, and 23.0 before 23.0.3, may send encrypted overlays in the clear, and engine.versions.from is %s; want 23.0.3 or later", l.Engine.Versions.From))
	}
}

// chats take messages of their own form, at URLs that are secrets.
var chats = []string{"hooks.slack.com", "discord.com", "discordapp.com", "api.telegram.org", "chat.googleapis.com", "webhook.office.com", "logic.azure.com"}

// told finds alerts that reach nobody, and a monitoring whose end nobody would notice.
func (l *linter) told() {
	m := l.Services.Monitoring
	switch {
	case m == nil:
	case m.Alerts == nil:
		l.add("alerts-unheard", "services.monitoring", "its alerts reach nobody: name a receiver in services.monitoring.alerts")
	case m.Alerts.Watchdog == nil:
		l.add("alerts-unwatched", "services.monitoring.alerts", fmt.Sprintf("nobody is told when %s stops, and Prometheus and Alertmanager with it; services.monitoring.alerts.watchdog pings somebody outside who tells", m.Node))
	}
}

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
		for _, s := range l.OwnNetworks() {
			if p.Bits() >= narrowest && p.Bits() < s.Prefix.Bits() && p.Overlaps(s.Prefix) {
				l.add("users-range", fmt.Sprintf("access.users.%d", i), fmt.Sprintf("holds %s, which is %s: users there get no answer from containers", s.Field, s.Prefix))
			}
		}
	}
}
