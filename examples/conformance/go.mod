module skep.dev/examples/conformance

go 1.26.0

require skep.dev v0.0.0

replace skep.dev => ../..
