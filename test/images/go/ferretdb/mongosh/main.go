// Command mongosh stands in for the programs of MongoDB's image beside its server: the shell, for the few words that probes
// and charts say to it, and the entrypoint, which makes users on an empty volume. The server behind is FerretDB on SQLite.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"syscall"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

const (
	data     = "/data/db"
	scripts  = "/docker-entrypoint-initdb.d"
	marker   = data + "/.users-made"
	inside   = "127.0.0.1:27017"
	patience = 60 * time.Second
)

func main() {
	run := shell
	if filepath.Base(os.Args[0]) == "docker-entrypoint.sh" {
		run = entrypoint
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// connect asks for the server's answer to ping, within the time that a probe has.
func connect(ctx context.Context, uri string, credential *options.Credential) (*mongo.Client, error) {
	settings := options.Client().ApplyURI(uri).SetServerSelectionTimeout(5 * time.Second).SetDirect(true)
	if credential != nil {
		settings.SetAuth(*credential)
	}
	client, err := mongo.Connect(ctx, settings)
	if err != nil {
		return nil, err
	}
	return client, client.Database("admin").RunCommand(ctx, bson.D{{Key: "ping", Value: 1}}).Err()
}

var (
	ping    = regexp.MustCompile(`db\.adminCommand\(\s*(?:'ping'|\{\s*ping:\s*1\s*\})\s*\)`)
	counted = regexp.MustCompile(`^db\.getSiblingDB\('([\w-]+)'\)\.([\w-]+)\.(countDocuments\(\{\}\)|insertOne\(\{\s*(\w+):\s*'([^']*)'\s*\}\))$`)
)

// shell knows the health checks' ping, and one insert and one count for tests. A password comes by the address or --password.
func shell(args []string) error {
	uri, host, expression := "", inside, ""
	credential := options.Credential{AuthSource: "admin"}
	for at := 0; at < len(args); at++ {
		value := func() string {
			if _, given, found := strings.Cut(args[at], "="); found {
				return given
			}
			at++
			if at < len(args) {
				return args[at]
			}
			return ""
		}
		switch name, _, _ := strings.Cut(args[at], "="); name {
		case "--quiet", "--norc":
		case "--eval":
			expression = value()
		case "--host":
			host = value()
		case "--port":
			host = strings.Split(host, ":")[0] + ":" + value()
		case "-u", "--username":
			credential.Username = value()
		case "-p", "--password":
			credential.Password, credential.PasswordSet = value(), true
		case "--authenticationDatabase":
			credential.AuthSource = value()
		default:
			if !strings.HasPrefix(args[at], "mongodb://") {
				return fmt.Errorf("mongosh (stand-in) does not know the argument %q", name)
			}
			uri = args[at]
		}
	}
	if uri == "" {
		uri = "mongodb://" + host + "/"
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var given *options.Credential
	if credential.Username != "" {
		given = &credential
	}
	client, err := connect(ctx, uri, given)
	if err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	if ping.MatchString(expression) {
		fmt.Println(1)
		return nil
	}
	found := counted.FindStringSubmatch(strings.TrimSpace(expression))
	if found == nil {
		return fmt.Errorf("mongosh (stand-in) does not know the expression %q", expression)
	}
	collection := client.Database(found[1]).Collection(found[2])
	if found[4] != "" {
		_, err = collection.InsertOne(ctx, bson.D{{Key: found[4], Value: found[5]}})
		return err
	}
	count, err := collection.CountDocuments(ctx, bson.D{})
	fmt.Println(count)
	return err
}

// server is FerretDB with everything by environment, so that no password is an argument.
func server(address string, more ...string) *exec.Cmd {
	command := exec.Command("/usr/local/bin/ferretdb")
	command.Env = append([]string{
		"FERRETDB_HANDLER=sqlite", "FERRETDB_SQLITE_URL=file:" + data + "/", "FERRETDB_STATE_DIR=" + data,
		"FERRETDB_LISTEN_ADDR=" + address, "FERRETDB_DEBUG_ADDR=-", "FERRETDB_TEST_ENABLE_NEW_AUTH=true",
		"FERRETDB_TELEMETRY=disable", "DO_NOT_TRACK=1", "FERRETDB_LOG_LEVEL=warn",
		"HOME=/tmp", "PATH=" + os.Getenv("PATH"),
	}, more...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	return command
}

// entrypoint makes the users on an empty volume, as the official image does, then becomes the server. The server's own
// arguments (the size of a cache that FerretDB does not have) are not used.
func entrypoint(_ []string) error {
	if _, err := os.Stat(marker); err != nil {
		if err := makeUsers(); err != nil {
			return fmt.Errorf("the users could not be made: %w", err)
		}
		if err := os.WriteFile(marker, nil, 0o600); err != nil {
			return err
		}
	}
	final := server(":27017")
	return syscall.Exec(final.Path, []string{final.Path}, final.Env)
}

func makeUsers() error {
	root, password := os.Getenv("MONGO_INITDB_ROOT_USERNAME"), os.Getenv("MONGO_INITDB_ROOT_PASSWORD")
	if root == "" || password == "" {
		return fmt.Errorf("MONGO_INITDB_ROOT_USERNAME and MONGO_INITDB_ROOT_PASSWORD have to be given")
	}
	first := server(inside, "FERRETDB_SETUP_DATABASE=admin", "FERRETDB_SETUP_USERNAME="+root, "FERRETDB_SETUP_PASSWORD="+password)
	if err := first.Start(); err != nil {
		return err
	}
	defer func() {
		_ = first.Process.Signal(syscall.SIGTERM)
		_ = first.Wait()
	}()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	credential := &options.Credential{AuthSource: "admin", Username: root, Password: password, PasswordSet: true}
	client, err := connect(ctx, "mongodb://"+inside+"/", credential)
	for err != nil {
		select {
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
			client, err = connect(ctx, "mongodb://"+inside+"/", credential)
		}
	}
	files, err := filepath.Glob(scripts + "/*.js")
	if err != nil {
		return err
	}
	sort.Strings(files)
	for _, file := range files {
		if err := runScript(ctx, client, file); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

var createUser = regexp.MustCompile(`(?s)db\.getSiblingDB\('([\w-]+)'\)\.createUser\(\{\s*user:\s*process\.env\.(\w+),\s*pwd:\s*process\.env\.(\w+),\s*roles:\s*\[[^\]]*\],?\s*\}\);?`)

// runScript carries out createUser with names and passwords from the environment, and refuses everything else. Roles are left
// out: FerretDB knows users and passwords, but no roles.
func runScript(ctx context.Context, client *mongo.Client, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	calls := createUser.FindAllStringSubmatch(string(text), -1)
	if rest := strings.TrimSpace(createUser.ReplaceAllString(string(text), "")); rest != "" || len(calls) == 0 {
		return fmt.Errorf("only createUser with user and pwd from process.env is known, not %q", rest)
	}
	for _, call := range calls {
		user, password := os.Getenv(call[2]), os.Getenv(call[3])
		if user == "" || password == "" {
			return fmt.Errorf("%s and %s have to be given", call[2], call[3])
		}
		command := bson.D{{Key: "createUser", Value: user}, {Key: "pwd", Value: password}, {Key: "roles", Value: bson.A{}}}
		if err := client.Database(call[1]).RunCommand(ctx, command).Err(); err != nil {
			return err
		}
	}
	return nil
}
