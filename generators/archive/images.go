package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"skep.dev/generators/images"
	"skep.dev/generators/packages"
	"skep.dev/schema"
)

// OfImages are the archives below a directory that the images of a cluster are loaded from, one for each image and platform,
// as the runbook looks for them. Left are the files that are none of them. Each is compared with the lock.
func OfImages(c *schema.Cluster, dir string) (files []File, left []string, err error) {
	all, err := Below(Images, dir)
	if err != nil {
		return nil, nil, err
	}
	needed := map[string]bool{} // by file
	var missing []error
	for _, i := range images.Of(c) {
		if strings.Contains(i.Name, "@") {
			missing = append(missing, wrong("%s: %s: no archive brings an image by its digest alone: give it a tag", i.Fields[0], i.Name))
			continue
		}
		for _, platform := range i.Platforms {
			file, err := find(c, dir, i, platform)
			if err != nil {
				missing = append(missing, err)
			}
			needed[file] = true
		}
	}
	if len(missing) > 0 {
		return nil, nil, errors.Join(missing...)
	}
	for _, f := range all {
		if needed[strings.TrimPrefix(f.Path, Images)] {
			files = append(files, f)
		} else {
			left = append(left, dir+"/"+strings.TrimPrefix(f.Path, Images))
		}
	}
	return files, left, nil
}

// find is the archive of an image for a platform.
func find(c *schema.Cluster, dir string, i images.Image, platform string) (string, error) {
	for _, file := range candidates(i.Name, platform) {
		if _, err := os.Stat(dir + "/" + file); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		config := c.Lock[schema.LockName(i.Name)].Platforms[platform].Config
		return file, CheckImage(dir+"/"+file, Image{Name: familiar(i.Name), Config: config, For: strings.TrimPrefix(platform, "linux/")})
	}
	return "", wrong("%s/%s: no such file, and %s needs it: images/fetch.sh of the bundle writes it", dir, candidates(i.Name, platform)[0], i.Fields[0])
}

// candidates are the names that the archive of an image may have: in a folder of its platform, or where all nodes are alike.
func candidates(image, platform string) []string {
	name := strings.NewReplacer("/", "_", ":", "_", "@", "_").Replace(image)
	var out []string
	for _, folder := range []string{strings.ReplaceAll(platform, "/", "_") + "/", ""} {
		for _, ending := range []string{".tar", ".tar.gz"} {
			out = append(out, fmt.Sprint(folder, name, ending))
		}
	}
	return out
}

// familiar is an image as Docker names it: without the registry that it takes for granted.
func familiar(image string) string {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil { // in an archive of others: no image of the spec
		return image
	}
	return reference.FamiliarString(named)
}

// OfPackages are the files below a directory that packages/fetch.sh fetched for the nodes of a cluster, a folder for each kind
// of them. Left are the folders that are none of them.
func OfPackages(c *schema.Cluster, dir string) (files []File, left []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range packages.Platforms(c) {
		all, err := Below(Packages+p.Folder()+"/", dir+"/"+p.Folder())
		if errors.Is(err, fs.ErrNotExist) {
			err = wrong("%s/%s: no such directory, and nodes.*.platform has such nodes: packages/fetch.sh of the bundle fetches their packages", dir, p.Folder())
		}
		if err != nil {
			return nil, nil, err
		}
		files = append(files, all...)
		entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() == p.Folder() })
	}
	for _, e := range entries {
		left = append(left, dir+"/"+e.Name())
	}
	return files, left, nil
}

// Debs are the files among those that are packages of Debian.
func Debs(files []File) []string {
	var out []string
	for _, f := range files {
		if strings.HasSuffix(f.Path, ".deb") {
			out = append(out, strings.TrimPrefix(f.Path, Packages))
		}
	}
	slices.Sort(out)
	return out
}
