module skep.dev

go 1.26.0
