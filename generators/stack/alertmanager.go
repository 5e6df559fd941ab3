package stack

import (
	"skep.dev/generators/stack/document"
	"skep.dev/schema"
)

// The configuration of Alertmanager, as far as skep writes it. Field names are Alertmanager's.
type (
	alertConfig struct {
		Global    *alertGlobal    `yaml:"global,omitempty"`
		Route     alertRoute      `yaml:"route"`
		Receivers []alertReceiver `yaml:"receivers"`
		Inhibit   []alertInhibit  `yaml:"inhibit_rules"`
	}
	alertGlobal struct {
		Smarthost    string `yaml:"smtp_smarthost"`
		From         string `yaml:"smtp_from"`
		User         string `yaml:"smtp_auth_username,omitempty"`
		PasswordFile string `yaml:"smtp_auth_password_file,omitempty"`
		RequireTLS   bool   `yaml:"smtp_require_tls"`
	}
	alertRoute struct {
		Receiver string       `yaml:"receiver"`
		Matchers []string     `yaml:"matchers,flow,omitempty"`
		GroupBy  []string     `yaml:"group_by,flow"`
		Wait     string       `yaml:"group_wait,omitempty"`
		Interval string       `yaml:"group_interval,omitempty"`
		Repeat   string       `yaml:"repeat_interval"`
		Routes   []alertRoute `yaml:"routes,omitempty"`
	}
	alertReceiver struct {
		Name     string         `yaml:"name"`
		Emails   []alertEmail   `yaml:"email_configs,omitempty"`
		Webhooks []alertWebhook `yaml:"webhook_configs,omitempty"`
	}
	alertEmail struct {
		To           string `yaml:"to"`
		SendResolved bool   `yaml:"send_resolved"`
	}
	alertWebhook struct {
		URL          string `yaml:"url,omitempty"`
		URLFile      string `yaml:"url_file,omitempty"`
		SendResolved bool   `yaml:"send_resolved"`
	}
	alertInhibit struct {
		Source []string `yaml:"source_matchers,flow"`
		Target []string `yaml:"target_matchers,flow"`
		Equal  []string `yaml:"equal,flow"`
	}
)

func alertmanagerConfig(a *schema.Alerts) ([]byte, error) {
	operators := alertReceiver{Name: "operators"}
	config := alertConfig{
		Route: alertRoute{Receiver: operators.Name, GroupBy: []string{"alertname", "cluster"}, Repeat: "12h"},
		Inhibit: []alertInhibit{
			{Source: []string{`alertname="NodeDown"`}, Target: []string{`alertname="ExporterDown"`}, Equal: []string{"cluster", "node"}},
			{Source: []string{`alertname="NodeDown"`}, Target: []string{`alertname=~"NodeMissing|ExporterMissing|SwarmNodeDown"`}, Equal: []string{"cluster"}},
		},
	}
	notes := document.Notes{"inhibit_rules": "A node that is down is one message, not one for each task on it."}
	if e := a.Email; e != nil {
		config.Global = &alertGlobal{Smarthost: e.Smarthost, From: e.From, RequireTLS: true}
		if e.User != "" {
			config.Global.User, config.Global.PasswordFile = e.User, secretFile(smtpSecret)
		}
		operators.Emails = []alertEmail{{To: e.To, SendResolved: true}}
		notes["global"] = "services.monitoring.alerts.email"
	}
	if w := a.Webhook; w != nil {
		operators.Webhooks = []alertWebhook{{URL: w.URL, SendResolved: true}}
	}
	config.Receivers = []alertReceiver{operators}
	if w := a.Watchdog; w != nil {
		config.Receivers = append(config.Receivers, alertReceiver{Name: "watchdog", Webhooks: []alertWebhook{{URLFile: secretFile(watchdogSecret)}}})
		// A repetition waits for the next look at the group: with one interval for both, every other ping would be left out.
		config.Route.Routes = []alertRoute{{
			Receiver: "watchdog", Matchers: []string{`alertname="Watchdog"`}, GroupBy: []string{"cluster"},
			Wait: "0s", Interval: "1m", Repeat: w.Every,
		}}
		notes["route/routes"] = "services.monitoring.alerts.watchdog"
	}
	notes["receivers"] = "services.monitoring.alerts"
	return document.Marshal(config, notes)
}
