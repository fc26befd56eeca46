# The classroom in a container:
#   docker build -t srheart --build-arg PIP_EXTRA_INDEX_URL=<PyTorch's CPU builds, docs/install.md> .
#   docker run --init --rm -p 8866:8866 --memory 4g --cpus 2 --read-only --tmpfs /tmp srheart --learners=4
FROM python:3.11-slim

# Without it the PyTorch that pip finds brings CUDA, several GB that nothing here uses.
ARG PIP_EXTRA_INDEX_URL
ENV OMP_NUM_THREADS=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp

WORKDIR /srheart
COPY . .
RUN pip install --no-cache-dir --editable ".[app]" --constraint constraints.txt \
    && useradd --system learner

USER learner
EXPOSE 8866
ENTRYPOINT ["python", "-m", "apps.classroom"]
CMD ["--learners=4"]
