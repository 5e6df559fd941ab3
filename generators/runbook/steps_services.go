package runbook

import (
	"cmp"
	"slices"

	"skep.dev/generators/artifact"
	"skep.dev/generators/stack"
	"skep.dev/schema"
)

// serviceSteps deploy the stacks.
func serviceSteps(c *schema.Cluster) []Step {
	var steps []Step
	if rows := images(c); len(rows) > 0 {
		steps = append(steps, Step{
			Number: 70, ID: "images", body: "images", Hosts: "all", Order: "parallel", Needs: []string{"engine"},
			Title: "Images", Why: "tasks start at once, and sites without a registry load them from archives",
			Undo: "nothing: images stay",
			facts: []artifact.Var{
				artifact.Strings("images", rows).From("image, nodes"),
				artifact.Strings("locked", locked(c)).From("images: of images.lock: image, platform, manifest, configuration"),
				artifact.String("delivery", c.Images.Delivery).From("images.delivery"),
			},
		})
	}
	if t := c.Services.Traefik; t != nil && t.Certificate.ACME != nil {
		steps = append(steps, Step{
			Number: 72, ID: "acme", body: "acme", Hosts: "duty traefik", Order: "parallel", Needs: []string{"engine"},
			Title: "The volume of the web certificate", Why: "Traefik is not root, and keeps there what the authority gave it",
			Undo: "nothing: the certificate stays",
			facts: []artifact.Var{
				artifact.Number("traefik_uid", t.UID).From("services.traefik.uid"),
			},
		})
	}
	facts := []artifact.Var{ // the same for all stacks
		cluster(c), networks(c), stacks(c),
		artifact.Strings("deploy_options", stack.DeployOptions(c)).From("images.delivery"),
		artifact.Strings("users", c.Stacks.Names()).From("stacks"),
		artifact.String(agent, c.Agent()).From("gitops.agent"),
		artifact.Strings("made", made(c)).From("stacks.*.compose: stack, network, attachable, internal, encrypted, mtu, subnets"),
		artifact.Strings("foreign", foreign(c)).From("stacks.*.secrets, stacks.*.configs, stacks.*.networks: stack, kind, name in the swarm, the step that makes it"),
	}
	for _, s := range c.Rows.Deploys {
		needs := []string{"nodes", "networks", "secrets", "images", "acme"}
		if ours, ok := c.Stacks.Named(s.Name); ok {
			for _, of := range ours.After() {
				needs = append(needs, stepOf(c, of))
			}
		}
		steps = append(steps, Step{
			Number: s.Number, ID: stepOf(c, s.Name), body: "stack others overlays", argument: s.Name, files: []string{folder(stack.File(s.Name))}, Hosts: "first manager", Order: "serial", Needs: needs,
			Title: "The stack " + s.Name + by(c), Why: s.Why,
			Undo:  "removes the stack; its volumes stay",
			facts: facts,
		})
	}
	if s := c.Services.S3; s != nil && s.Server == "versitygw" {
		steps = append(steps, bucketStep(s))
	}
	return steps
}

// agent is the fact that says who deploys the stacks.
const agent = "agent"

// Agent reads from the table who deploys the stacks: an agent, or "none" where the runbook does; nothing where there are none.
func Agent(table []byte) (string, error) {
	facts, _, err := artifact.Facts(artifact.File{Path: Table, Data: table})
	i := slices.IndexFunc(facts, func(f artifact.Fact) bool { return f.Name == agent })
	if i < 0 {
		return "", err
	}
	return cmp.Or(facts[i].Words[0], "none"), err
}

// by says who deploys the stacks, where the runbook does not.
func by(c *schema.Cluster) string {
	if c.Agent() == "" {
		return ""
	}
	return ", which " + c.Agent() + " deploys"
}

// stepOf is the ID of the step that deploys a stack.
func stepOf(c *schema.Cluster, stack string) string {
	if _, ours := c.Stacks.Named(stack); ours {
		return "stack-" + stack
	}
	return stack
}

// bucketStep gives the user of the storage what root's keys made.
func bucketStep(s *schema.S3) Step {
	return Step{
		Number: 83, ID: "buckets", body: "buckets", Hosts: "duty s3", Order: "parallel", Needs: []string{"s3"},
		Title: "Every bucket belongs to the user of S3", Why: "root's keys made some, or may still; their ACLs and policies begin anew",
		Undo: "nothing: root reaches every bucket",
		facts: []artifact.Var{
			artifact.String("s3_user", s.User.Name).From("services.s3.user.name"),
			artifact.String("s3_directory", s.Path).From("services.s3.path"),
			artifact.Number("s3_uid", s.UID),
			artifact.String("s3_region", s.Region),
			artifact.Number("s3_port", int(s.InternalPort)),
			artifact.Number("s3_admin_port", int(s.AdminPort)),
		},
	}
}

func stacks(c *schema.Cluster) artifact.Var {
	return artifact.Strings("stacks", c.Rows.Deploys.Names())
}
