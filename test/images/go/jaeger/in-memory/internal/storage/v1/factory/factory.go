package factory

import "github.com/jaegertracing/jaeger/internal/storage/v1/api/spanstore"

// ArchiveStorage is all that a query service needs to know of storages on disk.
type ArchiveStorage struct {
	Reader spanstore.Reader
	Writer spanstore.Writer
}
