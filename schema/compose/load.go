package compose

import (
	"context"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// load has compose-go check and merge the files. Nothing is left in them that it could open or ask the environment for.
func (r *reader) load(p *places) *types.Project {
	details := types.ConfigDetails{WorkingDir: "/", Environment: types.Mapping{}}
	for _, f := range p.files {
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: f.name, Content: f.text()})
	}
	project, err := loader.LoadWithContext(context.Background(), details, func(o *loader.Options) {
		o.SetProjectName(r.request.Name, true)
		o.SkipInclude, o.SkipNormalization, o.SkipConsistencyCheck = true, true, true
		o.SkipResolveEnvironment, o.SkipResolveLabels, o.SkipDefaultValues, o.ResolvePaths = true, true, true, false
		o.Profiles = r.request.Profiles
		o.MaxNodeVisits = 4 * maxNodes
		o.Interpolate = nil // no variable is left, and each text has its type
	})
	if err != nil {
		r.refused(p, err)
		return nil
	}
	for _, f := range p.files {
		for _, b := range f.bases {
			delete(project.Services, b.key)
			delete(project.DisabledServices, b.key)
		}
	}
	project.WorkingDir, project.Environment, project.ComposeFiles = p.dir, nil, nil
	return project
}
