package archive

import (
	"bytes"
	"encoding/hex"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/distribution/reference"
	"github.com/google/uuid"

	"skep.dev/generators/images"
)

// BillOf lists what a cluster's bundle names, as CycloneDX 1.6 in JSON: its images, and the packages of a repository of
// Debian. What is inside the images is not known here. Serial numbers and times stay out, but for a number that follows from
// the bundle's MANIFEST: the same bundle gives the same bytes.
// https://cyclonedx.org/docs/1.6/json/
func BillOf(name string, manifest []byte, list []images.Image, debs []string) ([]byte, error) {
	bill := cdx.NewBOM()
	bill.SerialNumber = uuid.NewSHA1(uuid.NameSpaceURL, append([]byte("https://skep.dev/manifest/"), manifest...)).URN()
	bill.Metadata = &cdx.Metadata{Component: &cdx.Component{Type: cdx.ComponentTypeApplication, BOMRef: "cluster", Name: name}}
	components := []cdx.Component{}
	for _, i := range list {
		named, err := reference.ParseNormalizedNamed(i.Reference)
		if err != nil {
			return nil, err
		}
		components = append(components, container(named))
	}
	for _, file := range debs {
		if c, ok := deb(file); ok {
			components = append(components, c)
		}
	}
	bill.Components = &components
	var b bytes.Buffer
	encoder := cdx.NewBOMEncoder(&b, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false)
	err := encoder.EncodeVersion(bill, cdx.SpecVersion1_6)
	return b.Bytes(), err
}

// container is an image as a component.
func container(named reference.Named) cdx.Component {
	familiar := reference.FamiliarString(named)
	c := cdx.Component{Type: cdx.ComponentTypeContainer, BOMRef: familiar, Name: reference.FamiliarName(named)}
	repository := "repository_url=" + escaped(named.Name())
	short := named.Name()[strings.LastIndexByte(named.Name(), '/')+1:]
	purl := "pkg:oci/" + short
	if digested, ok := named.(reference.Digested); ok {
		purl += "@" + escaped(digested.Digest().String())
		c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: digested.Digest().Encoded()}}
	}
	purl += "?" + repository
	if tagged, ok := named.(reference.Tagged); ok {
		c.Version = tagged.Tag()
		purl += "&tag=" + escaped(tagged.Tag())
	}
	c.PackageURL = purl
	return c
}

// deb is a package of Debian, by the name of its file: NAME_VERSION_ARCHITECTURE.deb.
func deb(file string) (cdx.Component, bool) {
	base, ok := strings.CutSuffix(file[strings.LastIndexByte(file, '/')+1:], ".deb")
	parts := strings.Split(base, "_")
	if !ok || len(parts) != 3 {
		return cdx.Component{}, false
	}
	version := strings.ReplaceAll(parts[1], "%3a", ":") // as apt-get download writes the colon of an epoch
	return cdx.Component{Type: cdx.ComponentTypeLibrary, BOMRef: file, Name: parts[0], Version: version,
		PackageURL: "pkg:deb/debian/" + escaped(parts[0]) + "@" + escaped(version) + "?arch=" + parts[2]}, true
}

// escaped percent-encodes what a package URL may not hold as it is.
// https://github.com/package-url/purl-spec/blob/main/PURL-SPECIFICATION.rst
func escaped(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~/", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteString("%" + strings.ToUpper(hex.EncodeToString([]byte{c})))
		}
	}
	return b.String()
}
