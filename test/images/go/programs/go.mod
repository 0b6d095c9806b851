module ananta.invalid/images/programs

go 1.24.0
