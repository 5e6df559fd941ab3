package runbook

import (
	"skep.dev/generators/artifact"
	"skep.dev/generators/engine"
	"skep.dev/generators/firewall"
	"skep.dev/generators/nfs"
	"skep.dev/generators/stack"
	"skep.dev/generators/vpn"
)

// Secrets is where the managers keep the values that were made, one file each.
const Secrets = "/etc/skep/secrets"

// names are what skep calls things on every cluster: the other generators and the shell of the steps agree on them here.
func names() []artifact.Var {
	return []artifact.Var{
		artifact.String("store", Secrets),
		artifact.String("daemon_json", engine.InstalledDaemon),
		artifact.Strings("daemon_keys", engine.Keys()),
		artifact.Strings("daemon_reloads", engine.Reloads()),
		artifact.String("drop_in", engine.InstalledDropIn),
		artifact.String("sysctl_conf", engine.InstalledSysctl),
		artifact.String("firewall_command", firewall.CommandPath),
		artifact.String("firewall_unit", firewall.UnitPath),
		artifact.String("docker_wait", firewall.DockerPath),
		artifact.String("directory_mode", nfs.Mode),
		artifact.String("nfs_unit", nfs.Unit),
		artifact.String("acme_volume", stack.ACMEVolume),
		artifact.String("s3_service", stack.S3Service),
		artifact.Strings("s3_root_keys", []string{stack.AccessSecret, stack.SecretSecret}),
		artifact.String("s3_user_key", stack.UserSecret),
		artifact.String("watch_command", engine.InstalledWatch),
		artifact.String("watch_service", engine.InstalledWatchService),
		artifact.String("watch_timer", engine.InstalledWatchTimer),
		artifact.String("watch_list", engine.WatchList),
		artifact.String("measures", engine.CertificateMeasures),
		artifact.String("web_trust", engine.WebTrust),
		artifact.String("mesh_command", vpn.InstalledMeshCommand),
		artifact.String("mesh_unit", vpn.MeshUnitName),
		artifact.String("mesh_private_key", vpn.PrivateKey),
		artifact.String("mesh_hub_conf", vpn.Mesh),
		artifact.String("mesh_installed", vpn.InstalledMesh),
		artifact.String("mesh_address", vpn.MeshAddress),
		artifact.Strings("mesh_sources", []string{vpn.MeshCommand, vpn.MeshUnit}),
		artifact.Strings("mesh_targets", []string{vpn.InstalledMeshCommand, vpn.InstalledMeshUnit}),
		artifact.String("vpn_directory", vpn.Directory),
		artifact.String("vpn_unit", vpn.UnitName),
		artifact.Strings("vpn_sources", []string{vpn.Server, vpn.Unit, vpn.Forward}),
		artifact.Strings("vpn_targets", []string{vpn.InstalledServer, vpn.InstalledUnit, vpn.InstalledForward}),
		artifact.Strings("vpn_pems", []string{vpn.CA, vpn.Cert, vpn.Key, vpn.TLSCrypt, vpn.CRL}),
	}
}
