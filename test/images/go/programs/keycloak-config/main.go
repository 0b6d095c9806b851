// Command keycloak-config stands in for keycloak-config-cli, which no package registry has: it waits for Keycloak, logs in as
// its administrator and brings a realm to what a file says, from the same environment variables. It knows realm settings, realm
// roles, client scopes, clients and the client roles of service accounts, and refuses a file that says more.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

type object = map[string]any

type keycloak struct {
	base  string
	token string
	http  *http.Client
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	server := &keycloak{base: strings.TrimSuffix(os.Getenv("KEYCLOAK_URL"), "/"), http: &http.Client{Timeout: 60 * time.Second}}
	patience := time.Duration(0)
	if os.Getenv("KEYCLOAK_AVAILABILITYCHECK_ENABLED") == "true" {
		given, err := time.ParseDuration(os.Getenv("KEYCLOAK_AVAILABILITYCHECK_TIMEOUT"))
		if err != nil {
			return fmt.Errorf("KEYCLOAK_AVAILABILITYCHECK_TIMEOUT: %w", err)
		}
		patience = given
	}
	if err := server.login(patience); err != nil {
		return err
	}
	files, err := filepath.Glob(os.Getenv("IMPORT_FILES_LOCATIONS"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no file at IMPORT_FILES_LOCATIONS %q", os.Getenv("IMPORT_FILES_LOCATIONS"))
	}
	for _, file := range files {
		// As the tool does: what is hidden is left out, folders of a ConfigMap's mount among it.
		if strings.HasPrefix(filepath.Base(file), ".") {
			continue
		}
		wanted, err := read(file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := server.bring(wanted); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

var variable = regexp.MustCompile(`\$\(env:(\w+)\)`)

// read replaces $(env:NAME), where the environment asks for it; a name that is not set is an error.
func read(file string) (object, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var missing []string
	if os.Getenv("IMPORT_VARSUBSTITUTION_ENABLED") == "true" {
		text = variable.ReplaceAllFunc(text, func(found []byte) []byte {
			name := string(variable.FindSubmatch(found)[1])
			value, set := os.LookupEnv(name)
			if !set {
				missing = append(missing, name)
			}
			quoted, _ := json.Marshal(value)
			return quoted[1 : len(quoted)-1]
		})
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("not set: %s", strings.Join(missing, ", "))
	}
	wanted := object{}
	return wanted, json.Unmarshal(text, &wanted)
}

func (k *keycloak) login(patience time.Duration) error {
	form := url.Values{
		"grant_type": {"password"}, "client_id": {"admin-cli"},
		"username": {os.Getenv("KEYCLOAK_USER")}, "password": {os.Getenv("KEYCLOAK_PASSWORD")},
	}
	deadline := time.Now().Add(patience)
	for {
		response, err := k.http.PostForm(k.base+"/realms/master/protocol/openid-connect/token", form)
		if err == nil {
			body, _ := io.ReadAll(response.Body)
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				answer := struct {
					Token string `json:"access_token"`
				}{}
				err = json.Unmarshal(body, &answer)
				k.token = answer.Token
				return err
			}
			err = fmt.Errorf("%s %s", response.Status, body)
			if response.StatusCode < http.StatusInternalServerError {
				return fmt.Errorf("Keycloak refuses the administrator: %w", err)
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("Keycloak at %s does not answer: %w", k.base, err)
		}
		time.Sleep(time.Second)
	}
}

// call returns the status; 404 of a GET is no error. What came back is put into result.
func (k *keycloak) call(method, path string, body, result any) (int, error) {
	var content bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&content).Encode(body); err != nil {
			return 0, err
		}
	}
	request, err := http.NewRequest(method, k.base+"/admin/realms"+path, &content)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+k.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := k.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return response.StatusCode, err
	}
	if response.StatusCode == http.StatusNotFound && method == http.MethodGet {
		return response.StatusCode, nil
	}
	if response.StatusCode >= 300 {
		return response.StatusCode, fmt.Errorf("%s %s: %s %s", method, path, response.Status, answer)
	}
	if result != nil && len(answer) > 0 {
		return response.StatusCode, json.Unmarshal(answer, result)
	}
	return response.StatusCode, nil
}

func items(of object, key string) ([]object, error) {
	listed, _ := of[key].([]any)
	found := make([]object, 0, len(listed))
	for _, entry := range listed {
		item, ok := entry.(object)
		if !ok {
			return nil, fmt.Errorf("%s holds something else than objects", key)
		}
		found = append(found, item)
	}
	return found, nil
}

func text(of object, key string) string {
	value, _ := of[key].(string)
	return value
}

// bring makes the realm empty first: given all at once, Keycloak would leave out its own client scopes.
func (k *keycloak) bring(wanted object) error {
	name := text(wanted, "realm")
	settings := object{}
	for key, value := range wanted {
		switch value.(type) {
		case object, []any:
			switch key {
			case "roles", "clientScopes", "clients", "users":
			default:
				return fmt.Errorf("this stand-in does not know %q", key)
			}
		default:
			settings[key] = value
		}
	}
	status, err := k.call(http.MethodGet, "/"+name, nil, nil)
	if err != nil {
		return err
	}
	if status == http.StatusNotFound {
		if _, err := k.call(http.MethodPost, "", object{"realm": name, "enabled": true}, nil); err != nil {
			return err
		}
		// A token knows only the realms of its time.
		if err := k.login(0); err != nil {
			return err
		}
	}
	if _, err := k.call(http.MethodPut, "/"+name, settings, nil); err != nil {
		return err
	}
	for _, step := range []func(string, object) error{k.roles, k.scopes, k.clients, k.serviceAccounts} {
		if err := step(name, wanted); err != nil {
			return err
		}
	}
	fmt.Printf("realm %s is as its file says\n", name)
	return nil
}

func (k *keycloak) roles(realm string, wanted object) error {
	all, _ := wanted["roles"].(object)
	roles, err := items(all, "realm")
	if err != nil {
		return err
	}
	for _, role := range roles {
		path := "/" + realm + "/roles/" + url.PathEscape(text(role, "name"))
		status, err := k.call(http.MethodGet, path, nil, nil)
		if err != nil {
			return err
		}
		if status == http.StatusNotFound {
			_, err = k.call(http.MethodPost, "/"+realm+"/roles", role, nil)
		} else {
			_, err = k.call(http.MethodPut, path, role, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// named brings a list of objects of one kind, identified by a key.
func (k *keycloak) named(path, key string, wanted []object) error {
	var present []object
	if _, err := k.call(http.MethodGet, path, nil, &present); err != nil {
		return err
	}
	ids := map[string]string{}
	for _, one := range present {
		ids[text(one, key)] = text(one, "id")
	}
	for _, one := range wanted {
		var err error
		if id, known := ids[text(one, key)]; known {
			_, err = k.call(http.MethodPut, path+"/"+id, one, nil)
		} else {
			_, err = k.call(http.MethodPost, path, one, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (k *keycloak) scopes(realm string, wanted object) error {
	scopes, err := items(wanted, "clientScopes")
	if err != nil {
		return err
	}
	return k.named("/"+realm+"/client-scopes", "name", scopes)
}

func (k *keycloak) clients(realm string, wanted object) error {
	clients, err := items(wanted, "clients")
	if err != nil {
		return err
	}
	return k.named("/"+realm+"/clients", "clientId", clients)
}

func (k *keycloak) clientID(realm, name string) (string, error) {
	var found []object
	if _, err := k.call(http.MethodGet, "/"+realm+"/clients?clientId="+url.QueryEscape(name), nil, &found); err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("the realm has no client %s", name)
	}
	return text(found[0], "id"), nil
}

func (k *keycloak) serviceAccounts(realm string, wanted object) error {
	users, err := items(wanted, "users")
	if err != nil {
		return err
	}
	for _, user := range users {
		owner := text(user, "serviceAccountClientId")
		if owner == "" {
			return fmt.Errorf("this stand-in knows users of service accounts only, not %s", text(user, "username"))
		}
		id, err := k.clientID(realm, owner)
		if err != nil {
			return err
		}
		account := object{}
		if _, err := k.call(http.MethodGet, "/"+realm+"/clients/"+id+"/service-account-user", nil, &account); err != nil {
			return err
		}
		given, _ := user["clientRoles"].(object)
		for client, names := range given {
			if err := k.grant(realm, text(account, "id"), client, names); err != nil {
				return err
			}
		}
	}
	return nil
}

func (k *keycloak) grant(realm, account, client string, names any) error {
	id, err := k.clientID(realm, client)
	if err != nil {
		return err
	}
	listed, _ := names.([]any)
	granted := make([]object, 0, len(listed))
	for _, name := range listed {
		role := object{}
		status, err := k.call(http.MethodGet, fmt.Sprintf("/%s/clients/%s/roles/%v", realm, id, name), nil, &role)
		if err != nil {
			return err
		}
		if status == http.StatusNotFound {
			return fmt.Errorf("the client %s has no role %v", client, name)
		}
		granted = append(granted, role)
	}
	_, err = k.call(http.MethodPost, fmt.Sprintf("/%s/users/%s/role-mappings/clients/%s", realm, account, id), granted, nil)
	return err
}
