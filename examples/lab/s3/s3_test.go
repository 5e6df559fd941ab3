// Package s3 lets the real versitygw serve the way a bundle's stack file says, and the runbook's step buckets talk to it.
package s3

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

const (
	bundle = "../../target/bundle"
	user   = 10001
	s3     = "http://127.0.0.1:7070"
	admin  = "http://127.0.0.1:7071"
)

// Root's keys are what a bundle without the user gave away; they stay the same when the user comes.
var values = map[string]string{"s3-access-key": "0123456789ABCDEFFEDC", "s3-secret-key": "of-root-and-nobody-else", "s3-user-key": `quo"ted\and-secret`}

var (
	root  = values["s3-access-key"] + ":" + values["s3-secret-key"]
	nuvla = "nuvla:" + values["s3-user-key"]
)

func TestUser(t *testing.T) {
	s := serve(t)
	data := filepath.Join(s.root, "data")
	s.want(t, "200", root, "PUT", s3+"/old")
	s.want(t, "200", root, "PUT", s3+"/old/file")
	s.want(t, "403", nuvla, "GET", s3+"/old/file")
	s.want(t, "403", nuvla, "GET", s3+"/plain")
	s.want(t, "200", nuvla, "PUT", s3+"/mine")

	out, changes := s.step(t, "check")
	if changes != 2 || !strings.Contains(out, "give the bucket old to nuvla") || !strings.Contains(out, "give the bucket plain to nuvla") {
		t.Errorf("check:\n%s", out)
	}
	s.step(t, "apply")
	if out, changes = s.step(t, "verify"); changes != 0 {
		t.Errorf("after apply:\n%s", out)
	}
	for _, login := range []string{nuvla, root} {
		for _, bucket := range []string{"old", "plain", "mine"} {
			s.want(t, "200", login, "PUT", s3+"/"+bucket+"/more")
			s.want(t, "200", login, "GET", s3+"/"+bucket+"/more")
		}
	}
	info, err := os.Stat(filepath.Join(data, "old/more"))
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("an object is %v, %v: NFS readers want 0644", info, err)
	}

	// Who holds the user's keys administrates nothing; who holds root's does so inside the task only.
	s.want(t, "403", nuvla, "PATCH", admin+"/list-users")
	s.want(t, "405", root, "PATCH", s3+"/list-users")
	s.want(t, "200", root, "PATCH", admin+"/list-users")
	s.want(t, "403", "stranger:"+values["s3-user-key"], "GET", s3+"/mine")
	s.secrets(t, data)
}

// A share whose disk is not mounted is shut by the step storage: the server does not begin anew in it.
func TestWithoutDisk(t *testing.T) {
	s := prepare(t)
	data := filepath.Join(s.root, "data")
	for _, err := range []error{os.Chown(data, 0, 0), os.Chmod(data, 0)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	out, err := s.server(t).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "permission denied") {
		t.Errorf("%v\n%s", err, out)
	}
}

// server is a task of the stack s3: its root directory, and the process once it serves.
type server struct {
	root, command string
	env           []string
	pid           int
}

// prepare makes the root of a task, with a share in which others have left things.
func prepare(t *testing.T) *server {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("not proven: want root, since the server runs in namespaces of its own")
	}
	s := &server{root: t.TempDir()}
	tool, err := exec.Command("go", "-C", "..", "tool", "-n", "github.com/versity/versitygw/cmd/versitygw").Output()
	must(t, err)
	must(t, os.MkdirAll(filepath.Join(s.root, "run/secrets"), 0o755))
	for _, dir := range []string{"usr", "proc", "dev", "server", "tmp", "data", "data/plain", "data/backup", "data/lost+found"} {
		must(t, os.Mkdir(filepath.Join(s.root, dir), 0o755))
	}
	must(t, os.Chmod(filepath.Join(s.root, "tmp"), 0o777))
	must(t, os.Chmod(filepath.Join(s.root, "data/lost+found"), 0o700)) // the server may not even look
	must(t, os.Chown(filepath.Join(s.root, "data/backup"), 12345, 12345))
	for name, value := range values {
		must(t, os.WriteFile(filepath.Join(s.root, "run/secrets", name), []byte(value), 0o400))
		must(t, os.Chown(filepath.Join(s.root, "run/secrets", name), user, user))
	}
	for _, dir := range []string{"data", "data/plain"} {
		must(t, os.Chown(filepath.Join(s.root, dir), user, user))
	}
	must(t, exec.Command("cp", strings.TrimSpace(string(tool)), filepath.Join(s.root, "server/versitygw")).Run())
	s.read(t)
	return s
}

// read takes command and environment from the stack file, as docker stack deploy would.
func (s *server) read(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(bundle, "stacks/s3/compose.yaml"))
	must(t, err)
	var file struct {
		Services map[string]struct {
			Entrypoint, Command []string
			Environment         map[string]string
			User                string
		}
	}
	must(t, yaml.Unmarshal(text, &file))
	task := file.Services["s3"]
	if strings.Join(task.Entrypoint, " ") != "/bin/sh -euc" || len(task.Command) != 1 || task.User != "10001:10001" {
		t.Fatalf("the stack file has %+v", task)
	}
	s.command = strings.ReplaceAll(task.Command[0], "$$", "$")
	s.env = []string{"PATH=/server:/usr/sbin:/usr/bin:/sbin:/bin"}
	for name, value := range task.Environment {
		s.env = append(s.env, name+"="+strings.ReplaceAll(value, "$$", "$"))
	}
}

func (s *server) server(t *testing.T) *exec.Cmd {
	t.Helper()
	script, err := filepath.Abs("testdata/task.sh")
	must(t, err)
	cmd := exec.CommandContext(t.Context(), "unshare", "--mount", "--net", script, s.root, s.command)
	cmd.Env = s.env
	return cmd
}

func serve(t *testing.T) *server {
	t.Helper()
	s := prepare(t)
	cmd := s.server(t)
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	s.pid = cmd.Process.Pid
	for until := time.Now().Add(time.Minute); s.ask(t, "nobody:nothing", "GET", s3+"/_health") != "200"; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("the server does not answer")
		}
	}
	return s
}

// ask returns the status of a signed request from within the task's network.
func (s *server) ask(t *testing.T, login, method, url string) string {
	t.Helper()
	cmd := exec.Command("nsenter", "--net", "--target", strconv.Itoa(s.pid), "curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}",
		"--config", "-", "--aws-sigv4", "aws:amz:us-east-1:s3", "--request", method,
		"--header", "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", url)
	cmd.Stdin = strings.NewReader("user = " + strconv.Quote(login) + "\n")
	out, _ := cmd.Output()
	return string(out)
}

func (s *server) want(t *testing.T, code, login, method, url string) {
	t.Helper()
	if have := s.ask(t, login, method, url); have != code {
		name, _, _ := strings.Cut(login, ":")
		t.Errorf("%s %s as %s: %s, want %s", method, url, name, have, code)
	}
}

// step runs a function of the step buckets, and returns what it says and how much it would change.
func (s *server) step(t *testing.T, function string) (string, int) {
	t.Helper()
	table, err := os.ReadFile(filepath.Join(bundle, "runbook/cluster.sh"))
	must(t, err)
	program, err := filepath.Abs(filepath.Join(bundle, "runbook"))
	must(t, err)
	path, err := filepath.Abs("testdata")
	must(t, err)
	here := strings.Replace(string(table), "s3_directory='/nfs-root'", "s3_directory='"+filepath.Join(s.root, "data")+"'", 1)
	cmd := exec.Command("bash", "-c", "declare -A digest=()\nstep() { :; }\n"+here+"\nvariables\nfor part in lib names steps/buckets; do source "+
		program+"/$part.sh; done\nskep_changes=0\n"+function+"\necho changes=$skep_changes")
	cmd.Env = append(os.Environ(), "PATH="+path+":"+os.Getenv("PATH"), "TASK_PID="+strconv.Itoa(s.pid))
	out, err := cmd.CombinedOutput()
	m := regexp.MustCompile(`changes=(\d+)\n$`).FindStringSubmatch(string(out))
	if err != nil || m == nil {
		t.Fatalf("%s: %v\n%s", function, err, out)
	}
	changes, _ := strconv.Atoi(m[1])
	return string(out), changes
}

// secrets wants no key in the share, nor in an argument list.
func (s *server) secrets(t *testing.T, data string) {
	t.Helper()
	line, err := os.ReadFile("/proc/" + strconv.Itoa(s.pid) + "/cmdline")
	must(t, err)
	must(t, filepath.WalkDir(data, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		line = append(line, text...)
		if strings.Contains(path, "users.json") {
			t.Errorf("the share has %s", path)
		}
		return err
	}))
	for name, value := range values {
		if strings.Contains(string(line), value) {
			t.Errorf("%s is in the share or an argument list", name)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
